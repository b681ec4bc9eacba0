-- Sources whose feed of this night is not complete, in an incident that is still open and of which no mail tells yet.
select f.source, f.state, f.detail
from feed f
join v_feed_incident i on i.source = f.source and i.opened_on <= f.business_on and i.closed_on is null
where f.business_on = :business_on and f.source = any (:sources) and f.state <> 'complete'
  and not exists (
      select from notice_item told
      where told.mail_kind = 'C' and told.payload ->> 'source' = f.source and told.business_on >= i.opened_on
  )
order by f.source
