-- Departments whose feed is interrupted on this night: they get mail C, and their digest A waits.
select distinct i.department
from notice_item i
join v_feed_incident f on f.source = i.payload ->> 'source' and i.business_on >= f.opened_on
    and (f.closed_on is null or f.closed_on > i.business_on)
where i.mail_kind = 'C'
  and i.department is not null
  and f.opened_on <= :business_on
  and (f.closed_on is null or f.closed_on > :business_on);
