-- Mode whole_day: used days, and which cases exceed each level, suspensions clipped, capped (-1: uncapped) and merged.
with opened as (
    select c.*, a.number as begins, greatest(b.number, a.number) as stops
    from bench_case c
    join bench_day a on a.day = c.start_day
    join bench_day b on b.day = c.stop_day
), clipped as (
    select o.case_id, o.stops, greatest(f.number, o.begins) as low,
           case when s.is_open = 1 then 100000000 else u.number end as high, s.approved
    from bench_span s
    join opened o using (case_id)
    join bench_day f on f.day = s.begin_day - 1
    join bench_day u on u.day = s.end_day - 1
), capped as (
    select case_id, stops, low, case when approved < 0 then high else least(high, low + approved) end as high
    from clipped
), marked as (
    select *, max(high) over (partition by case_id order by low rows between unbounded preceding and 1 preceding) as reach
    from capped
    where high > low
), islands as (
    select *, count(*) filter (where reach is null or low > reach) over (partition by case_id order by low
        rows between unbounded preceding and current row) as island
    from marked
), united as (
    select case_id, island, min(low) as low, max(high) as high, min(stops) as stops
    from islands
    group by case_id, island
), placed as (
    -- Where the interval lies on the clock's own time: before it, that much was counted.
    select *, low - (sum(high - low) over (partition by case_id order by low) - (high - low)) as net
    from united
), levels as (
    select o.case_id, o.start_day, o.stop_day, o.begins, level, target
    from opened o
    cross join lateral (
        values ('reminder', o.begins + o.promised - 3), ('yellow', o.begins + o.promised), ('red', o.begins + o.statutory)
    ) l (level, target)
), moved as (
    select l.case_id, l.level, sum(p.high - p.low) as days
    from levels l
    join placed p on p.case_id = l.case_id and p.net < l.target
    group by l.case_id, l.level
), due as (
    select l.*, target + coalesce(days, 0) as due
    from levels l
    left join moved m using (case_id, level)
), over as (
    select l.level, l.case_id
    from due l
    left join bench_day d on d.number = l.due and d.is_working = 1
    where l.target < l.begins or l.stop_day > greatest(coalesce(d.day, 100000000), l.start_day)
), excluded as (
    select case_id, sum(greatest(least(high, stops) - low, 0)) as days
    from placed
    group by case_id
)
select (select count(*) from over where level = 'reminder')::bigint,
       (select count(*) from over where level = 'yellow')::bigint,
       (select count(*) from over where level = 'red')::bigint,
       (select sum(stops - begins) from opened)::bigint - (select coalesce(sum(days), 0) from excluded)::bigint
