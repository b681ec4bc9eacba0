-- How often each event of a night was appended already, voided ones included.
select source, case_no, clock, clock_key, level, event, count(*) as times
from card_event
where business_on = :business_on
group by source, case_no, clock, clock_key, level, event
