-- New messages of rows that are not refused -> the rows that told one of them first; a row told again is a repetition.
with inserted as (
    insert into message (source, case_no, kind, seq, version, occurred_at, written_at, received_at, loaded_at, known_at,
                         known_basis, department, region, item_code, item_name, payload, content_sha256, page_id)
    select source, case_no, kind, seq, version, occurred_at, written_at, received_at, loaded_at, known_at,
           known_basis, department, region, item_code, item_name, payload, content_sha256, :page_id
    from staged
    where row_no <> all (cast(:refused as int[]))
    order by message_no
    on conflict (source, case_no, kind, seq, version) do nothing
    returning source, case_no, kind, seq, version
)
select distinct row_no
from (
    select distinct on (source, case_no, kind, seq, version) row_no
    from staged
    join inserted using (source, case_no, kind, seq, version)
    where row_no <> all (cast(:refused as int[]))
    order by source, case_no, kind, seq, version, message_no
) told_first
