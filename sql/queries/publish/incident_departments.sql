-- Departments whose feed is interrupted on this night: they get mail C, and their digest A waits.
select distinct i.department
from notice_item i
join feed_incident f on f.source = i.payload ->> 'source' and f.opened_on = (i.payload ->> 'opened_on')::date
where i.mail_kind = 'C'
  and i.department is not null
  and f.opened_on <= :business_on
  and (f.closed_on is null or f.closed_on > :business_on);
