update link_lag l
set late_count = f.late
from (
    select source, hop, kind, business_on, count(*) as late
    from push_finding
    where source = :source
    group by source, hop, kind, business_on
) f
where (l.source, l.hop, l.kind, l.business_on) = (f.source, f.hop, f.kind, f.business_on) and l.late_count <> f.late
