select source, hop, kind, message_count, late_count, p50_seconds, p95_seconds, max_seconds
from link_lag
where business_on = :business_on and message_count > 0
order by p95_seconds desc nulls last, source, hop, kind
limit 10;
