-- When something arrived at the end of a source's way, or, of its way to us, was known; by what was known then. Nothing
-- is known before it arrived, so what was known earlier need not be looked at.
select distinct floor(extract(epoch from case when :is_pull then known_at else received_at end) * 1000000)::bigint as at
from message
where source = :source and known_at between :first_at and :known_by
  and case when :is_pull then known_at else received_at end between :first_at and :last_at
