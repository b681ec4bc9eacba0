-- A night read to its end and not believed, or not to be told from one by pages nobody could admit: the next pull asks
-- for everything since the last night that was, unless a later one has already been pulled.
update watermark w
set covers_until = :cutoff_at - make_interval(days => :business_on - greatest(
    w.first_on - 1,
    (select max(business_on) from feed where source = :source and state = 'complete' and business_on < :business_on)
))
from feed f
where w.source = :source and w.covers_until = :cutoff_at
  and f.source = w.source and f.business_on = :business_on and f.state in ('stale', 'low', 'silent', 'partial')
