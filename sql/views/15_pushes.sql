-- Findings of one night's knowledge: records grouped by what they have in common, opened and closed by nights. Those
-- held up by one stand-still are one incident, closed by the first night after it that brought anything over the hop.
-- All others of a hop and class are one incident as long as every night that brings something brings more of them; a
-- night that brings nothing neither opens nor closes any. How a source queues is one incident as long as every night
-- that brings something shows it. Differences between two sources, and cases a source deleted, are one incident where
-- they opened and closed alike. Nothing of this is stored: it is what the nights' rows say.
create or replace function push_finding_on(night date) returns table (
    source text, hop text, class text, opened_on date, closed_on date, state text, is_standstill boolean,
    began_at timestamptz, ended_at timestamptz, record_count bigint, longest_seconds bigint,
    longest_working_days numeric, level text, evidence text[], detail text
) language sql stable as $$
    with found as (
        select f.*, concat_ws('/', f.source, f.case_no, f.kind, f.seq, 'v' || f.version) as record_key
        from push_finding f
        where f.business_on <= night
    ),
    brought as (
        select source, hop, business_on, row_number() over (partition by source, hop order by business_on) as place
        from (
            select source, hop, business_on from link_lag where business_on <= night
            union
            select source, hop, business_on from found
        ) nights
    ),
    nightly as (
        select f.source, f.hop, f.class, f.standstill_until, f.business_on,
               b.place - row_number() over (
                   partition by f.source, f.hop, f.class, f.standstill_until order by f.business_on
               ) as run
        from (select distinct source, hop, class, standstill_until, business_on from found) f
        join brought b using (source, hop, business_on)
    ),
    incident as (
        select f.source, f.hop, f.class, f.standstill_until,
               min(f.business_on) as opened_on, max(f.business_on) as last_on,
               min(coalesce(f.standstill_from, f.set_out_at)) as began_at,
               coalesce(f.standstill_until, max(f.reached_at)) as ended_at,
               count(*) as record_count, max(f.lag_seconds) as longest_seconds,
               max(f.lag_working_days) as longest_working_days,
               (array['warn', 'yellow', 'red'])[max(array_position(array['warn', 'yellow', 'red'], f.level))] as level,
               (array_agg(f.record_key order by f.lag_seconds desc nulls last, f.record_key collate "C"))[1:5] as evidence
        from found f
        join nightly n using (source, hop, class, business_on)
        where f.standstill_until is not distinct from n.standstill_until
        group by f.source, f.hop, f.class, f.standstill_until,
                 case when f.standstill_until is null then n.run end
    ),
    quiet as (
        select s.source, s.first_on, min(s.business_on) as opened_on, max(s.business_on) as last_on,
               min(s.last_on) as heard_on
        from silence s
        where s.business_on <= night
        group by s.source, s.first_on
    ),
    queued as (
        select source, hop, class, min(business_on) as opened_on, max(business_on) as last_on,
               min(began_at) as began_at, max(ended_at) as ended_at, sum(record_count)::bigint as record_count
        from (
            select q.*, b.place - row_number() over (partition by q.source, q.hop, q.class order by q.business_on) as run
            from queue_shape q
            join brought b using (source, hop, business_on)
        ) shaped
        group by source, hop, class, run
    )
    select i.source, i.hop, i.class, i.opened_on, c.closed_on,
           case when c.closed_on is null then 'late' else 'recovered' end,
           i.standstill_until is not null, i.began_at, i.ended_at, i.record_count, i.longest_seconds,
           i.longest_working_days, i.level, i.evidence, null
    from incident i
    cross join lateral (
        select min(b.business_on) as closed_on
        from brought b
        where b.source = i.source and b.hop = i.hop and b.business_on > i.last_on
    ) c
    union all
    select q.source, 'entry:' || q.source, 'silent', q.opened_on, c.closed_on,
           case when c.closed_on is null then 'late' else 'recovered' end,
           false, q.first_on::timestamp at time zone 'Asia/Shanghai', null, 0, null, null, null,
           array(
               select concat_ws('/', m.source, m.case_no, m.kind, m.seq, 'v' || m.version)
               from message m
               where m.source = q.source and (m.known_at at time zone 'Asia/Shanghai')::date - 1 = q.heard_on
               order by m.written_at desc, 1
               limit 1
           ),
           null
    from quiet q
    cross join lateral (
        select min(b.business_on) as closed_on
        from brought b
        where b.source = q.source and b.business_on > q.last_on
    ) c
    union all
    select d.downstream, d.hop, d.class, d.opened_on, d.closed_on,
           case when d.closed_on is null then 'late' else 'recovered' end,
           false, min(d.due_at), null, count(*), null, null, null,
           (array_agg(d.evidence[1] order by d.evidence[1] collate "C"))[1:5], null
    from difference_on(night) d
    group by d.downstream, d.hop, d.class, d.opened_on, d.closed_on
    union all
    select d.source, d.source, 'deleted', d.opened_on, d.closed_on,
           case when d.closed_on is null then 'late' else 'recovered' end,
           false, d.absent_on::timestamp at time zone 'Asia/Shanghai', null, count(*), null, null, null,
           (array_agg(d.source || '/' || d.case_no order by d.case_no collate "C"))[1:5], null
    from (
        select source, case_no, absent_on, opened_on, case when closed_on <= night then closed_on end as closed_on
        from v_deleted_case
        where opened_on <= night
    ) d
    group by d.source, d.absent_on, d.opened_on, d.closed_on
    union all
    select q.source, q.hop, q.class, q.opened_on, c.closed_on,
           case when c.closed_on is null then 'late' else 'recovered' end,
           false, q.began_at, q.ended_at, q.record_count, null, null, null, newest.evidence, newest.detail
    from queued q
    join queue_shape newest on (newest.source, newest.class, newest.business_on) = (q.source, q.class, q.last_on)
    cross join lateral (
        select min(b.business_on) as closed_on
        from brought b
        where b.source = q.source and b.hop = q.hop and b.business_on > q.last_on
    ) c
$$;
create or replace view v_push_finding as select * from push_finding_on('infinity');

-- Daily series with what was still on its way at each cut-off: records that came late, known in hindsight.
create or replace view v_link_lag_daily as
with waiting as (
    select n.business_on, f.source, f.hop, f.department, f.kind, count(*) as waiting_count,
           max(extract(epoch from n.cutoff_at - f.set_out_at))::bigint as backlog_seconds
    from night n
    join push_finding f on f.set_out_at <= n.cutoff_at and f.reached_at > n.cutoff_at and f.level is not null
    group by n.business_on, f.source, f.hop, f.department, f.kind
)
select business_on, source, hop, department, kind,
       coalesce(l.message_count, 0) as message_count, coalesce(l.late_count, 0) as late_count,
       coalesce(l.negative_count, 0) as negative_count,
       round(100.0 * (l.message_count - l.late_count) / nullif(l.message_count, 0), 2) as on_time_percent,
       l.p50_seconds, l.p95_seconds, l.max_seconds, l.p50_working_days, l.p95_working_days, l.max_working_days,
       coalesce(w.waiting_count, 0) as waiting_count, w.backlog_seconds
from link_lag l
full join waiting w using (business_on, source, hop, department, kind);

-- Feeds: fresh, late as long as a night is not complete, recovered on the first complete one after it.
create or replace view v_feed_state as
select source, business_on, state as feed_state,
       case
           when state <> 'complete' then 'late'
           when lag(state) over (partition by source order by business_on) <> 'complete' then 'recovered'
           else 'fresh'
       end as state
from feed;
