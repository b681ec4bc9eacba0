-- Sources that were silent on a night.
select source, last_on, first_on, working_days from silence where business_on = :business_on order by source
