-- How sources queued in the week, as known at its end.
select source, class, detail, evidence
from push_finding_on(:last)
where detail is not null and ended_at >= :from_at and ended_at < :until_at
order by source, class, ended_at;
