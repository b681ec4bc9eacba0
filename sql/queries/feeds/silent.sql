-- Sources that normally send and have sent nothing for some working days, though their feed of the night was read to its
-- end.
-- Normally: on at least half of the ten working days up to their last message. What a night brought is what tracing
-- measured of it, so a source without entry times is never silent.
with brought as (
    select distinct source, business_on as on_date
    from link_lag
    where hop = 'entry:' || source and message_count > 0 and business_on <= :business_on
),
newest as (
    select source, max(on_date) as last_on from brought group by source
),
working_day as (
    select day::date as on_date
    from (select min(last_on) - 30 as first_on from newest) span
    cross join lateral generate_series(first_on, cast(:business_on as date), interval '1 day') day
    left join lateral (
        select kind
        from calendar_day
        where calendar = 'cn' and on_date = day::date and known_from <= :business_on
        order by known_from desc
        limit 1
    ) ruling on true
    where case when kind is null then extract(isodow from day) < 6 else kind in ('makeup', 'workday') end
)
select n.source, n.last_on, silence.first_on, silence.working_days
from newest n
join feed f on f.source = n.source and f.business_on = :business_on and f.state in ('complete', 'silent', 'low', 'stale')
cross join lateral (
    select min(on_date) as first_on, count(*) as working_days from working_day where on_date > n.last_on
) silence
cross join lateral (
    select count(b.on_date) as sent, count(*) as days
    from (select on_date from working_day where on_date <= n.last_on order by on_date desc limit 10) w
    left join brought b on b.source = n.source and b.on_date = w.on_date
) habit
where silence.working_days >= :silent_days and habit.sent * 2 >= habit.days
order by n.source
