select upstream, downstream, class, hop, case_no, kind, seq, opened_on, due_at, fields, evidence
from difference_on(:night)
where closed_on is null
order by upstream, downstream, class, opened_on, case_no collate "C", kind, seq
