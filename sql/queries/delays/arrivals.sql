-- When something arrived at the end of a source's way, or, of its way to us, was known; by what was known then.
select distinct floor(extract(epoch from case when :is_pull then known_at else received_at end) * 1000000)::bigint as at
from message
where source = :source and known_at <= :known_by
  and case when :is_pull then known_at else received_at end between :first_at and :last_at
