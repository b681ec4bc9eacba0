select seq, prev_hash, hash, source, case_no, clock, clock_key, level, decision, business_on, decided_at, actor, reason,
       evidence
from card_decision
order by seq
