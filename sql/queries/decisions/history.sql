-- Everything that happened to one card, in the order of the chain; voided events and their voids are not told.
select seq, hash, event as what, business_on, known_at as happened_at, nature, null as actor, null as reason, evidence
from v_card_event
where (source, case_no, clock, clock_key, level) = (:source, :case_no, :clock, :clock_key, :level)
union all
select seq, hash, decision, business_on, decided_at, null, actor, reason, evidence
from card_decision
where (source, case_no, clock, clock_key, level) = (:source, :case_no, :clock, :clock_key, :level)
order by seq
