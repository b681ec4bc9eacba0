-- Messages of each kind a night brought, what is usual, and the counts of the nights before, oldest first.
select source, kind, t.nights, t.counts, row_count, usual_count
from quality_volume
join (
    select source, kind, array_agg(business_on order by business_on) as nights,
           array_agg(row_count order by business_on) as counts
    from quality_volume
    where business_on between :first and :business_on
    group by source, kind
) t using (source, kind)
where business_on = :business_on and (source = any (:sources) or cardinality(cast(:sources as text[])) = 0)
order by source, kind
