-- Of rows that are refused (:refused), the case and the kinds of record the ledger has not: what their refusal leaves out.
select s.row_no, s.case_no, array_agg(distinct s.kind) filter (where m.message_id is null) as kinds
from staged s
left join message m using (source, case_no, kind, seq, version)
where s.row_no = any (cast(:refused as int[]))
group by s.row_no, s.case_no
