-- A night read to its end and not believed, or not to be told from one by pages nobody could admit: the next pull asks
-- for everything since the last night that was, unless a later one has already been pulled. Before any was, the first
-- load is still to come.
with doubted as (
    select w.source,
           (select max(business_on) from feed
            where source = w.source and state = 'complete'
              and business_on >= w.first_on and business_on < :business_on) as complete_on
    from watermark w
    join feed f on f.source = w.source and f.business_on = :business_on
    where w.source = :source and w.covers_until = :cutoff_at and f.state in ('stale', 'low', 'silent', 'partial')
),
not_loaded as (
    delete from watermark w using doubted d where w.source = d.source and d.complete_on is null
)
update watermark w
set covers_until = :cutoff_at - make_interval(days => :business_on - d.complete_on)
from doubted d
where w.source = d.source and d.complete_on is not null
