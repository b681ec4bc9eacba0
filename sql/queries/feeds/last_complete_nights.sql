-- Per source the last night, up to the given one, whose feed was complete. Nights before the first feed row were
-- reconstructed by the first load and count as complete; null: the source has never been complete.
select f.source,
       min(f.business_on) as first_on,
       max(f.business_on) filter (where f.state = 'complete' and f.business_on <= :business_on) as complete_on,
       max(f.state) filter (where f.business_on = :business_on) as state,
       max(f.detail) filter (where f.business_on = :business_on) as detail
from feed f
group by f.source
