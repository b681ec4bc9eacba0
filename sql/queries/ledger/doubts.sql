-- Records that are here and cannot be used: of which case and kinds, from which cut-off (null: ever since, for a first load
-- gives each record the night it had arrived by, and here nobody can say which) until which (null: still). A row is settled
-- when it is replayed or dismissed, or when its source has told every kind it left out again. Of kinds that repeat no other
-- row says which one was meant.
select q.source, q.stream, q.case_no, q.kinds, q.reason, q.detail, d.since, coalesce(q.settled_at, d.told_again_at) as until
from quarantine q
join landed_page p using (page_id)
left join lateral (select min(first_on) as first_on from watermark w where w.source = q.source) w on true
left join lateral (
    select max(known_at) as known_at, count(*) as kinds
    from (
        select min(m.known_at) as known_at
        from message m
        left join landed_page told on told.page_id = m.page_id
        where m.source = q.source and m.case_no = q.case_no and m.kind = any (q.kinds)
          and (m.known_at, told.business_on) > (p.known_at, p.business_on)
        group by m.kind
    ) again
) again on not q.kinds && cast(:repeating as text[])
cross join lateral (
    select case when p.known_basis = 'night' or p.business_on > w.first_on then p.known_at end as since,
           case when again.kinds = cardinality(q.kinds) then again.known_at end as told_again_at
) d
where q.case_no is not null and q.kinds <> '{}' and (cast(:case_no as text) is null or q.case_no = :case_no)
order by q.case_no, d.since, q.source, q.stream, q.row_sha256, q.reason
