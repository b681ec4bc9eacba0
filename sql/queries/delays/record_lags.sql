-- Lag of every record over each hop, per night, hop and kind; late ones are counted from the findings afterwards.
-- Negative lags (clock skew) are counted, never averaged in.
insert into link_lag (business_on, source, hop, kind, message_count, late_count, negative_count,
                      p50_seconds, p95_seconds, max_seconds)
select (known_at at time zone 'Asia/Shanghai')::date - 1, source, hop, kind,
       count(*), 0,
       count(*) filter (where lag < 0),
       percentile_disc(0.5) within group (order by lag) filter (where lag >= 0),
       percentile_disc(0.95) within group (order by lag) filter (where lag >= 0),
       max(lag) filter (where lag >= 0)
from (
    select m.known_at, m.source, m.kind, h.hop, floor(extract(epoch from h.reached - h.set_out))::bigint as lag
    from message m
    cross join lateral (
        values ('entry:' || m.source, m.occurred_at, m.written_at), (:hop, m.written_at, m.received_at)
    ) h (hop, set_out, reached)
    where m.source = :source and m.known_at = any (:nights) and h.set_out is not null and h.reached is not null
) lags
group by 1, source, hop, kind
on conflict (business_on, source, hop, kind) do update
set message_count = excluded.message_count, late_count = excluded.late_count,
    negative_count = excluded.negative_count, p50_seconds = excluded.p50_seconds,
    p95_seconds = excluded.p95_seconds, max_seconds = excluded.max_seconds
