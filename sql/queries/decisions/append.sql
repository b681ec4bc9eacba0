insert into card_decision (seq, prev_hash, hash, source, case_no, clock, clock_key, level, decision, business_on,
    decided_at, actor, reason, evidence)
values (:seq, :prev_hash, :hash, :source, :case_no, :clock, :clock_key, :level, :decision, :business_on,
    :decided_at, :actor, :reason, :evidence)
