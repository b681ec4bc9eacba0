insert into card_decision (seq, prev_hash, hash, source, case_no, clock, clock_key, level, decision, business_on,
    decided_at, actor, reason, evidence)
select seq, prev_hash, hash, source, case_no, clock, clock_key, level, decision, business_on,
    decided_at, actor, reason, evidence
from json_populate_recordset(null::card_decision, cast(:links as json))
