insert into silence (business_on, source, last_on, first_on, working_days)
values (:business_on, :source, :last_on, :first_on, :working_days)
