-- What is usual of a night's kinds: the median of nights like it whose feed, where they have one, was complete.
update quality_volume v
set usual_count = (
    select case when count(*) >= 5 then percentile_cont(0.5) within group (order by p.row_count) end
    from quality_volume p
    where p.source = v.source and p.kind = v.kind and p.business_on = any (cast(:alike as date[]))
      and not exists (
          select from feed f where f.source = p.source and f.business_on = p.business_on and f.state <> 'complete'
      )
)
where source = :source and business_on = :business_on
returning kind, row_count, usual_count
