-- Per source its first load, the last night from then up to the given one whose feed was complete, and the given night's
-- own verdict. Null first load: the source has never been complete.
select f.source,
       w.first_on,
       coalesce(w.first_on, min(f.business_on)) as asked_from,
       max(f.business_on) filter (
           where f.state = 'complete' and f.business_on between w.first_on and :business_on
       ) as complete_on,
       max(f.state) filter (where f.business_on = :business_on) as state,
       max(f.detail) filter (where f.business_on = :business_on) as detail
from feed f
left join watermark w using (source)
group by f.source, w.first_on
