-- Rows that say something else under a key and version already taken, by the ledger or by an earlier row of the page.
select distinct s.row_no
from staged s
left join message m using (source, case_no, kind, seq, version)
left join lateral (
    select e.content_sha256
    from staged e
    where (e.source, e.case_no, e.kind, e.seq, e.version) = (s.source, s.case_no, s.kind, s.seq, s.version)
    order by e.message_no
    limit 1
) earliest on true
where s.content_sha256 <> coalesce(m.content_sha256, earliest.content_sha256)
