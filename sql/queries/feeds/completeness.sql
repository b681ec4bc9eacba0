-- Per source its first load and, in order, the nights from then up to the given one whose feeds were and were not complete.
select w.source,
       w.first_on,
       coalesce(array_agg(n.night order by n.night) filter (where f.state = 'complete'), '{}') as complete_on,
       coalesce(array_agg(n.night order by n.night) filter (where n.night is not null and f.state is distinct from 'complete'), '{}') as frozen_on
from (select source, min(first_on) as first_on from watermark group by source) w
left join lateral (
    select night::date as night from generate_series(w.first_on, cast(:until as date), interval '1 day') night
) n on true
left join feed f on f.source = w.source and f.business_on = n.night
group by w.source, w.first_on
