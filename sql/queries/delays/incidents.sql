-- Incidents of some nights by the knowledge of one: stand-stills first, the longest first.
select *
from push_finding_on(:known_on)
where opened_on <= :last and (closed_on is null or closed_on >= :first)
order by is_standstill desc, case when is_standstill then ended_at - began_at end desc, class, source, hop, began_at
