select count(*)
from card_event
where (source, case_no, clock, clock_key, level, business_on, event)
    = (:source, :case_no, :clock, :clock_key, :level, :business_on, :event)
