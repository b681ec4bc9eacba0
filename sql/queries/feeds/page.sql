select page_id, source, business_on, stream, page_no, sha256, path, meta, known_basis, known_at
from landed_page
where page_id = :page_id
