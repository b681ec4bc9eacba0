-- Mails that told of one card, oldest first.
select distinct n.notice_key, n.mail_kind, n.business_on, n.recipient, n.subject, n.message_id, n.state
from card_event e
join notice_item i on i.card_event_seq = e.seq
join notice_claim c using (item_key)
join notice n using (notice_key)
where (e.source, e.case_no, e.clock, e.clock_key, e.level) = (:source, :case_no, :clock, :clock_key, :level)
order by n.business_on, n.notice_key
