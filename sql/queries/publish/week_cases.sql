-- Cases accepted and finished in a week, by department; the department's own report wins over a platform's.
with candidate as (
    select distinct case_no
    from message
    where kind in ('accept', 'finish') and occurred_at >= :from_at and occurred_at < :until_at
),
newest as (
    select distinct on (case_no, kind) kind, occurred_at, department, payload ->> 'outcome' as outcome
    from message
    join candidate using (case_no)
    where kind in ('accept', 'finish') and known_at <= :data_until
    order by case_no, kind, source = any(cast(:own_systems as text[])) desc, source, version desc
)
select department_name(department, :last) as department, accepted, finished
from (
    select department,
           count(*) filter (where kind = 'accept' and coalesce(outcome, 'passed') = 'passed') as accepted,
           count(*) filter (where kind = 'finish') as finished
    from newest
    where occurred_at >= :from_at and occurred_at < :until_at
    group by department
) counted
order by 1;
