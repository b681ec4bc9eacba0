-- When something of a source last arrived of what had been known by a moment, within a week.
select source, floor(extract(epoch from max(received_at)) * 1000000)::bigint as at
from message
where source = any(:sources) and known_at > :after - interval '7 days' and known_at <= :after
  and received_at is not null
group by source
