-- Rows that say something else under a key and version already taken, by the ledger or by an earlier row of the page.
-- Keys told twice are found by one aggregate first: a look at every other row per row never ends on a large page.
with contradicted as materialized (
    select source, case_no, kind, seq, version, min(message_no) as told_first
    from staged
    group by source, case_no, kind, seq, version
    having min(content_sha256) <> max(content_sha256)
), told_before as (
    select source, case_no, kind, seq, version, e.content_sha256
    from (select c.*, s.content_sha256 from contradicted c join staged s on s.message_no = c.told_first) e
    where not exists (
        select from message m
        where (m.source, m.case_no, m.kind, m.seq, m.version) = (e.source, e.case_no, e.kind, e.seq, e.version)
    )
    union all
    select source, case_no, kind, seq, version, m.content_sha256
    from staged s
    join message m using (source, case_no, kind, seq, version)
    where m.content_sha256 <> s.content_sha256
)
select distinct s.row_no
from staged s
join told_before t using (source, case_no, kind, seq, version)
where s.content_sha256 <> t.content_sha256
