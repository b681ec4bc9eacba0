select source, hop, kind, message_count, late_count, p50_seconds, p95_seconds, max_seconds
from link_lag
where business_on = :business_on and message_count > 0 and hop not like 'total:%'
order by p95_seconds desc nulls last, source, hop, kind, department
limit 10;
