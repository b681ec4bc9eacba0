-- Records on which two sources differ by what was known at $7: of cases either told of in ($5, $6]. $1 upstream,
-- $2 downstream, $3 kinds both read, $4 per kind the payload fields not both read, $8 whether both read the item,
-- $9 whether the upstream dates a record by when it was written there, not by when it was received.
-- Counts and hashes of buckets first: within a side no two rows hash alike, so what both sides say alike cancels out and
-- anything else is left over. Only the keys of buckets that differ are sorted and handed out.
with touched as materialized (
    select distinct case_no
    from message
    where source in ($1, $2) and known_at > $5 and known_at <= $6
),
compared as (
    select kind, unread::text[] as unread from unnest($3::text[], $4::text[]) c (kind, unread)
),
newest as not materialized (
    select m.source = $1 as is_upstream, m.source, m.case_no, m.kind, m.seq, m.version,
           (m.occurred_at at time zone 'Asia/Shanghai')::date as on_date, hashtext(m.case_no) & 63 as bucket,
           jsonb_build_object('occurred_at', extract(epoch from m.occurred_at))
           || case when $8::int = 1 then jsonb_build_object('item_code', m.item_code) else '{}' end
           || (m.payload - c.unread) as said
    from message m
    join compared c using (kind)
    where m.source in ($1, $2) and m.known_at <= $7
      and m.case_no in (select case_no from touched)
      and not exists (
          select
          from message n
          where (n.source, n.case_no, n.kind, n.seq) = (m.source, m.case_no, m.kind, m.seq)
            and n.version > 1 and n.version > m.version and n.known_at <= $7
      )
),
differing as materialized (
    select kind, on_date, bucket
    from newest
    group by kind, on_date, bucket
    having count(*) filter (where is_upstream) * 2 <> count(*)
        or bit_xor(
               ('x' || encode(sha256(convert_to(jsonb_build_array(case_no, seq, said)::text, 'UTF8')), 'hex'))::bit(256)
           ) <> repeat('0', 256)::bit(256)
)
select n.is_upstream, n.case_no, n.kind, n.seq, n.version, n.said::text as said, told.first_at, told.newest_at
from newest n
join differing using (kind, on_date, bucket)
cross join lateral (
    select min(m.at) as first_at, max(m.at) filter (where m.version = n.version) as newest_at
    from (
        select version,
               coalesce(case when n.is_upstream and $9::int = 1 then written_at else received_at end, known_at) as at
        from message
        where (source, case_no, kind, seq) = (n.source, n.case_no, n.kind, n.seq) and known_at <= $7
    ) m
) told
order by n.case_no collate "C", n.kind collate "C", n.seq, n.is_upstream desc
