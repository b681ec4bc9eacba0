-- Per source and earlier night how many records arrived at the end of its way, and the longest any had waited (s).
select source, business_on, sum(message_count)::bigint as records, max(max_seconds) as longest_seconds
from link_lag
join unnest(cast(:sources as text[]), cast(:hops as text[])) r (source, hop) using (source, hop)
where business_on < :business_on and business_on >= :business_on - 20
group by source, business_on
order by source, business_on
