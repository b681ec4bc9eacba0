insert into landed_page (source, business_on, stream, page_no, sha256, path, byte_count, media_type, meta, known_basis)
values (:source, :business_on, :stream, :page_no, :sha256, :path, :byte_count, :media_type, cast(:meta as jsonb), :known_basis)
on conflict (source, business_on, stream, sha256) do update set is_set_aside = false where landed_page.is_set_aside
