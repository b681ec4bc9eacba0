-- The night's verdict from its admitted pages. A pull that failed stays what it was; an unadmitted page makes the night
-- partial, and so does any row the source declares and nobody can account for. A night whose records became known only
-- with a later one is late, unless it was complete before; so is what a doubt says of a night otherwise complete. Earlier nights keep their verdict, but pages of theirs
-- admitted only now are counted where they belong.
with counted as (
    select f.business_on, coalesce(sum(rows_total), 0) as landed, coalesce(sum(rows_accepted), 0) as accepted,
           coalesce(sum(rows_repeated), 0) as repeated, coalesce(sum(rows_quarantined), 0) as quarantined
    from feed f
    left join landed_page p on p.source = f.source and p.business_on = f.business_on and p.admitted_at is not null
    where f.source = :source and f.business_on <= :business_on
    group by f.business_on
),
waiting as (
    select count(*) as pages
    from landed_page
    where page_id = any(cast(:page_ids as bigint[])) and admitted_at is null
)
update feed f
set landed_rows = landed, accepted_rows = accepted, repeated_rows = repeated, quarantined_rows = quarantined,
    state = case when f.business_on = :business_on and state in ('pulled', 'complete')
                 then case when pages > 0 or coalesce(declared_rows, landed) > landed then 'partial'
                           when state = 'pulled' and cast(:known_later as text) is not null then 'late'
                           when state = 'pulled' then coalesce(cast(:doubt as text), 'complete')
                           else 'complete' end
                 else state end,
    detail = case when f.business_on <> :business_on then detail
                  when pages > 0 then :detail
                  when state = 'pulled' then coalesce(:known_later, :doubt_detail, detail)
                  else detail end,
    updated_at = now()
from counted c, waiting
where f.source = :source and f.business_on = c.business_on
  and (f.business_on = :business_on or f.landed_rows <> c.landed)
