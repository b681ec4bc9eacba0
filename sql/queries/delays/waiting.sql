-- What was on its way at a moment and came late, per source and hop: how many of it had been due by then, and how long
-- the oldest had been waiting; in hindsight, by the knowledge of a night.
select source, hop, count(*) filter (where due_at <= :at) as overdue_count,
       extract(epoch from :at - min(set_out_at))::bigint as backlog_seconds
from push_finding
where level is not null and set_out_at <= :at and reached_at > :at and business_on <= :known_on
group by source, hop
