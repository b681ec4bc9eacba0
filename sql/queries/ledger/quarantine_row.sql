insert into quarantine (source, stream, row_sha256, reason, detail, business_on, page_id, row_no, case_no, kinds)
values (:source, :stream, :row_sha256, :reason, :detail, :business_on, :page_id, :row_no, :case_no,
        cast(:kinds as text[]))
on conflict (source, stream, row_sha256, reason) do nothing
