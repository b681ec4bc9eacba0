insert into quarantine (source, stream, row_sha256, reason, detail, business_on, page_id, row_no)
values (:source, :stream, :row_sha256, :reason, :detail, :business_on, :page_id, :row_no)
on conflict (source, stream, row_sha256, reason) do nothing
