select page_id, source, business_on, stream, page_no, sha256, path, meta, known_basis, known_at
from landed_page
where source = :source and business_on <= :business_on and admitted_at is null and not is_set_aside
order by page_id
