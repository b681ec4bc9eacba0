-- Records on which two sources differ by what was known at $7: of cases either told of in ($5, $6]. $1 upstream,
-- $2 downstream, $3 kinds both read, $4 per kind the payload fields not both read, $8 whether both read the item,
-- $9 whether the upstream dates a record by when it was written there, not by when it was received.
-- Counts and hashes of buckets (kind, day, sixty-fourth of the cases) first: within a side no two rows hash alike, so what
-- both sides say alike cancels out and anything else is left over. Only buckets that differ are sorted and handed out.
with compared as (
    select kind, unread::text[] as unread, number
    from unnest($3::text[], $4::text[]) with ordinality c (kind, unread, number)
),
revised as not materialized (
    select source, case_no, kind, seq, max(version) as newest
    from message
    where version > 1 and source in ($1, $2) and known_at <= $7
    group by source, case_no, kind, seq
),
told as not materialized (
    select *
    from message
    where source in ($1, $2) and known_at > $5 and known_at <= $7
    union all
    select *
    from message
    where source in ($1, $2) and known_at <= least($5, $7)
      and case_no in (
          select case_no from message where source in ($1, $2) and known_at > $5 and known_at <= $6
      )
),
newest as not materialized (
    select m.*, c.unread,
           (c.number * 100000 + ((m.occurred_at at time zone 'Asia/Shanghai')::date - date '2000-01-01')) * 64
           + (hashtext(m.case_no) & 63) as bucket
    from told m
    join compared c using (kind)
    left join revised r using (source, case_no, kind, seq)
    where coalesce(r.newest, 1) = m.version
),
-- No admitted text holds the unit separator, so no two rows are written alike.
hashed as (
    select bucket, source,
           ('x' || encode(sha256(convert_to(concat_ws(
               e'\x1f', case_no, seq, occurred_at, case when $8::int = 1 then coalesce(item_code, '') end, payload - unread
           ), 'UTF8')), 'hex'))::bit(256) as digest
    from newest
),
differing as materialized (
    select bucket
    from hashed
    group by bucket
    having count(*) filter (where source = $1) * 2 <> count(*) or bit_xor(digest) <> repeat('0', 256)::bit(256)
)
select n.source = $1 as is_upstream, n.case_no, n.kind, n.seq, n.version,
       (jsonb_build_object('occurred_at', n.occurred_at)
        || case when $8::int = 1 then jsonb_build_object('item_code', n.item_code) else '{}' end
        || (n.payload - n.unread))::text as said,
       dated.first_at, dated.newest_at
from newest n
join differing using (bucket)
cross join lateral (
    select min(m.at) as first_at, max(m.at) filter (where m.version = n.version) as newest_at
    from (
        select version,
               coalesce(case when n.source = $1 and $9::int = 1 then written_at else received_at end, known_at) as at
        from message
        where (source, case_no, kind, seq) = (n.source, n.case_no, n.kind, n.seq) and known_at <= $7
    ) m
) dated
order by n.case_no collate "C", n.kind collate "C", n.seq, is_upstream desc
