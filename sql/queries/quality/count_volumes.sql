-- Messages of each kind per night since the last one counted, at most six weeks back; nights that brought nothing of a
-- kind are counted with 0. A night that was not pulled is not counted: what is missing of it proves nothing.
with counted as (
    select (known_at at time zone 'Asia/Shanghai')::date - 1 as business_on, kind, count(*) as row_count
    from message
    where source = :source and known_at <= :known_at
      and known_at > :known_at - make_interval(days => 1 + least(42, :business_on - coalesce(
          (select max(business_on) from quality_volume where source = :source and business_on < :business_on),
          cast(:business_on as date) - 42)))
    group by 1, 2
),
kinds as (
    select kind from counted
    union select kind from quality_volume where source = :source and business_on > cast(:business_on as date) - 42
),
asked as (
    select generate_series(min(business_on), cast(:business_on as date), interval '1 day')::date as business_on
    from (select business_on from counted union all select :business_on) found
)
insert into quality_volume (source, business_on, kind, row_count)
select :source, business_on, kind, coalesce(row_count, 0)
from asked
cross join kinds
left join counted using (business_on, kind)
where exists (
    select from feed where source = :source and business_on = :business_on and state in ('pulled', 'complete')
)
on conflict (source, business_on, kind) do update set row_count = excluded.row_count
