-- Cases finished in a week whose limits are counted in working days: what the speed-up rates are made of.
with candidate as (
    select distinct case_no
    from message
    where kind = 'finish' and occurred_at >= :from_at and occurred_at < :until_at
),
newest as (
    select distinct on (case_no, kind) case_no, kind, occurred_at, region, payload
    from message
    join candidate using (case_no)
    where kind in ('accept', 'finish') and known_at <= :data_until
    order by case_no, kind, source = any(cast(:own_systems as text[])) desc, source, version desc
)
select f.case_no, a.occurred_at as accepted_at, f.occurred_at as finished_at, a.region,
       (a.payload ->> 'promised_limit')::numeric as promised_limit,
       (a.payload ->> 'statutory_limit')::numeric as statutory_limit
from newest f
join newest a on a.case_no = f.case_no and a.kind = 'accept'
where f.kind = 'finish'
  and f.occurred_at >= :from_at and f.occurred_at < :until_at
  and coalesce(a.payload ->> 'outcome', 'passed') = 'passed'
  and coalesce(a.payload ->> 'limit_unit', 'working_day') = 'working_day'
  and (a.payload ->> 'statutory_limit')::numeric > 0
  and a.payload ->> 'promised_limit' is not null
order by f.case_no;
