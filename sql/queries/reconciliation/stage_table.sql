create temporary table found (
    moment int not null, class text, case_no text, kind text, seq int, upstream_version int, downstream_version int,
    due_at timestamptz, fields text
) on commit drop
