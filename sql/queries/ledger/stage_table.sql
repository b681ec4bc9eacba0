create temporary table staged (
    message_no int not null, row_no int not null,
    source text, case_no text, kind text, seq int, version int,
    occurred_at timestamptz, written_at timestamptz, received_at timestamptz, loaded_at timestamptz, known_at timestamptz,
    known_basis text,
    department text, region text, item_code text, item_name text, payload jsonb, content_sha256 text
) on commit drop
