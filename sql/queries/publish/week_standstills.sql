-- Stand-stills that ended in the week, the longest first.
select source, hop, began_at, ended_at, extract(epoch from ended_at - began_at)::bigint as seconds, record_count
from push_finding_on(:last)
where is_standstill and ended_at >= :from_at and ended_at < :until_at
order by seconds desc, source, hop, ended_at;
