select distinct page_id, row_no, row_sha256
from quarantine
where source = :source and state = 'open'
order by page_id, row_no
