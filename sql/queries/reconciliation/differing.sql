-- Records on which two sources differ by what was known at $7: of cases either told of in ($5, $6]. $1 upstream,
-- $2 downstream, $3 kinds both read, $4 per kind the payload fields not both read, $8 whether both read the item,
-- $9 whether the upstream dates a record by when it was written there, not by when it was received, $10 a salt nobody
-- knows beforehand, so that no two records can be made to hash alike.
-- Buckets of cases first: within a side no two rows are alike, so what both sides say alike cancels out of a bucket's hashes
-- and anything else is left over. Then, in buckets that differ, the hashes by key; only records that differ are read whole.
with compared as not materialized (
    select kind, unread::text[] as unread
    from unnest($3::text[], $4::text[]) c (kind, unread)
),
told as not materialized (
    select source, case_no, kind, seq, version, occurred_at, item_code, payload, unread
    from message
    join compared using (kind)
    where source in ($1, $2) and known_at > $5 and known_at <= $7
    union all
    select source, case_no, kind, seq, version, occurred_at, item_code, payload, unread
    from message
    join compared using (kind)
    where source in ($1, $2) and known_at <= least($5, $7)
      and case_no in (
          select case_no from message where source in ($1, $2) and known_at > $5 and known_at <= $6
      )
),
hashed as not materialized (
    select case_no, kind, seq, hashtext(case_no) & 65535 as bucket,
           hashtextextended(case_no, hash_record_extended(
               (kind, seq, occurred_at, case when $8::int = 1 then item_code end, payload - unread), $10::bigint
           )) as digest
    from told m
    where not exists (
        select
        from message n
        where n.version > 1 and n.source in ($1, $2) and n.known_at <= $7
          and (n.source, n.case_no, n.kind, n.seq) = (m.source, m.case_no, m.kind, m.seq) and n.version > m.version
    )
),
-- One bit a bucket, so that the second look at the records can drop the others as it reads them.
differing as materialized (
    select bit_or(set_bit(repeat('0', 65536)::bit(65536), bucket, 1)) as buckets
    from (select bucket from hashed group by bucket having bit_xor(digest) <> 0) d
),
unlike as materialized (
    select case_no, kind, seq
    from hashed
    where (select buckets from differing) is not null and get_bit((select buckets from differing), bucket) = 1
    group by case_no, kind, seq
    having bit_xor(digest) <> 0
)
select n.source = $1 as is_upstream, n.case_no, n.kind, n.seq, n.version,
       (jsonb_build_object('occurred_at', n.occurred_at)
        || case when $8::int = 1 then jsonb_build_object('item_code', n.item_code) else '{}' end
        || (n.payload - c.unread))::text as said,
       n.first_at, n.at as newest_at
from unlike u
join compared c using (kind)
cross join (values ($1), ($2)) s (source)
cross join lateral (
    select m.*, min(m.at) over () as first_at
    from (
        select *, coalesce(case when source = $1 and $9::int = 1 then written_at else received_at end, known_at) as at
        from message
    ) m
    where (m.source, m.case_no, m.kind, m.seq) = (s.source, u.case_no, u.kind, u.seq) and m.known_at <= $7
    order by m.version desc
    limit 1
) n
order by n.case_no collate "C", n.kind collate "C", n.seq, is_upstream desc
