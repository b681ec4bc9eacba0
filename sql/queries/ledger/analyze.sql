-- After a bulk load the planner believes in a small table and loops over what must be hashed or merged; autovacuum is later.
analyze message (source, case_no, kind, seq, version, occurred_at, known_at)
