-- Per source whose feed of the night was read to its end, the nights up to it that brought something, in order.
-- What a night brought is what tracing measured of it, so a source without entry times is never silent.
select l.source, array_agg(distinct l.business_on order by l.business_on) as brought_on
from link_lag l
join feed f on f.source = l.source and f.business_on = :business_on and f.state in ('complete', 'silent', 'low', 'stale')
where l.hop = 'entry:' || l.source and l.message_count > 0 and l.business_on <= :business_on
group by l.source
order by l.source
