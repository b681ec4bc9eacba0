select hop, sum(message_count)::bigint as messages, sum(late_count)::bigint as late, max(max_seconds) as max_seconds
from link_lag
where business_on between :first and :last and hop not like 'entry:%'
group by hop
order by max_seconds desc nulls last
