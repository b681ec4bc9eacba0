insert into bulletin (week, data_until, head_hash, model, html_sha256, docx_sha256)
values (:week, :data_until, :head_hash, cast(:model as jsonb), :html_sha256, :docx_sha256)
on conflict (week) do nothing;
