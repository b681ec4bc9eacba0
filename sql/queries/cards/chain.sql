select seq, prev_hash, hash, source, case_no, clock, clock_key, level, business_on, event, revision, voids_seq, nature,
       standing, provisional, is_baseline, is_manual, reached_at, due_at, used_days, limit_days, excluded_days, base,
       responsible_hop, department, region, item_code, item_name, evidence, profile_version, calendar_version, known_at
from card_event
order by seq
