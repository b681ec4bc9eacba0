-- What every rule said of a night, since when it has found anything, and what it said in the nights before: arrays of
-- nights, checked and failed rows, oldest first.
with night as (
    select * from quality_result where business_on = :business_on and (source = any (:sources) or cardinality(cast(:sources as text[])) = 0)
),
trend as (
    select source, suite, rule, array_agg(business_on order by business_on) as nights,
           array_agg(checked_rows order by business_on) as checked,
           array_agg(failed_rows order by business_on) as failed
    from quality_result
    where business_on between :first and :business_on
    group by source, suite, rule
),
seen as (
    select source, suite, rule, min(business_on) as first_on
    from quality_result
    where failed_rows > 0 and business_on <= :business_on
    group by source, suite, rule
)
select n.source, n.suite, n.rule, n.title, n.basis, n.severity, n.checked_rows, n.failed_rows, n.samples, s.first_on,
       t.nights, t.checked, t.failed
from night n
join trend t using (source, suite, rule)
left join seen s using (source, suite, rule)
order by n.source, n.suite, n.rule collate "C"
