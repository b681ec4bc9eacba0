-- Lags of the week over each hop, exact (nearest rank), over the messages admitted in its nights. Negative lags (clock
-- skew) are counted, never averaged in.
with hops as (
    select distinct source, hop from link_lag where business_on between :first and :last
),
admitted as (
    select source, occurred_at, written_at, received_at
    from message
    where (known_at at time zone 'Asia/Shanghai')::date - 1 between :first and :last and known_at <= :data_until
),
lags as (
    select source, h.hop, case
               when h.hop = 'entry:' || source then m.written_at - m.occurred_at
               else m.received_at - m.written_at
           end as lag
    from hops h
    join admitted m using (source)
),
late as (
    select source, hop, count(*) as late_count
    from push_finding
    where business_on between :first and :last
    group by source, hop
)
select source, hop, count(lag) as message_count, coalesce(max(late_count), 0) as late_count,
       floor(extract(epoch from percentile_disc(0.50) within group (order by lag) filter (where lag >= '0')))::bigint
           as p50_seconds,
       floor(extract(epoch from percentile_disc(0.95) within group (order by lag) filter (where lag >= '0')))::bigint
           as p95_seconds,
       floor(extract(epoch from max(lag) filter (where lag >= '0')))::bigint as max_seconds
from lags
left join late using (source, hop)
group by source, hop
order by source, hop;
