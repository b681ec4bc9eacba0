-- Per item and recipient the first digest that told of its card: what a correction or a follow-up replies to.
select distinct on (i.item_key, n.recipient) i.item_key, n.recipient, n.notice_key, n.message_id
from notice_item i
join card_event e on e.seq = i.card_event_seq
join card_event b using (source, case_no, clock, clock_key, level)
join notice_item t on t.card_event_seq = b.seq and t.mail_kind = 'A'
join notice_claim c on c.item_key = t.item_key
join notice n on n.notice_key = c.notice_key and n.mail_kind = 'A'
where i.item_key = any(:item_keys)
order by i.item_key, n.recipient, n.business_on, n.notice_key
