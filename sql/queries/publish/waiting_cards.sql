-- Cards that wait for a person at the end of a night: to be issued, appealed, escalated, to be verified.
select department_name(department, :business_on) as department, level, case_no, item_name, state,
       coalesce(decided_on, business_on) as since, count(*) over () as total
from card_on(:business_on)
where (state in ('pending', 'appealed', 'escalated') or (state = 'issued' and nature = 'suspect'))
  and not is_baseline
order by level_rank(level) desc, coalesce(decided_on, business_on), case_no, clock, clock_key
limit :most;
