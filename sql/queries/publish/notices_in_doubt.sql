-- Mails a person has to look at: handed over without an answer, or refused for good.
select notice_key, mail_kind, business_on, department, recipient, subject, message_id, state, attempts, detail,
       updated_at
from notice
where state in ('dot', 'held', 'refused')
order by business_on, notice_key;
