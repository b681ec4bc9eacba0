select notice_key
from notice
where state = 'ready' and mail_kind = coalesce(:only, mail_kind)
order by business_on, notice_key;
