-- Nights from a source's first load up to the given one on which its feed was not complete.
select w.source, n.night::date as business_on
from watermark w
cross join generate_series(w.first_on, cast(:business_on as date), interval '1 day') n (night)
left join feed f on f.source = w.source and f.business_on = n.night::date and f.state = 'complete'
where f.source is null
order by 1, 2
