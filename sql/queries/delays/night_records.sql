-- Records to measure of what became known in ($1, $2] from sources $3, with the last place of their way at which another
-- source saw them by $2. $4 to $7 are those other sources, one row each: of whose way, which source, at which place,
-- and 1 where the record is written there and not received. A record known before is measured again from a place that
-- is newly known.
with relay as (
    select * from unnest($4::text[], $5::text[], $6::bigint[], $7::bigint[]) r (source, via, position, is_written)
),
touched as (
    select distinct case_no, kind, seq, version
    from message
    where known_at > $1 and known_at <= $2 and source in (select source from relay union select via from relay)
),
relayed as (
    select distinct on (m.message_id) m.message_id, r.position, at.relayed_at,
           m.known_at <= $1 and o.known_at > $1 as is_again
    from touched
    join message m using (case_no, kind, seq, version)
    join relay r on r.source = m.source
    join message o
        on (o.source, o.case_no, o.kind, o.seq, o.version) = (r.via, m.case_no, m.kind, m.seq, m.version)
    cross join lateral (values (case when r.is_written = 1 then o.written_at else o.received_at end)) at (relayed_at)
    where m.known_at <= $2 and o.known_at <= $2 and at.relayed_at is not null
    order by m.message_id, r.position desc, o.known_at, at.relayed_at, r.via
)
select source, case_no, kind, seq, version, department, region, occurred_at, written_at, received_at, known_at,
       coalesce(position, 0) as position, relayed_at, false as is_again
from message
left join relayed using (message_id)
where known_at > $1 and known_at <= $2 and source = any ($3)
union all
select source, case_no, kind, seq, version, department, region, occurred_at, written_at, received_at, known_at,
       position, relayed_at, true
from relayed
join message using (message_id)
where is_again and source = any ($3)
order by 1, 2, 3, 4, 5
