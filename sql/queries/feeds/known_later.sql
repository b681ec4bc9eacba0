-- The last knowledge time of anything that had reached the source by the cut-off and is known only after it; null:
-- nothing, and so nothing before the source's first load, which gave each record the night it had arrived by.
select max(m.known_at)
from message m
join watermark w using (source)
where m.source = :source and m.known_at > :cutoff_at and w.first_on < :business_on
  and coalesce(m.received_at, m.written_at, m.occurred_at) <= :cutoff_at
