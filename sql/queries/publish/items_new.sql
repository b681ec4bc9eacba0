-- What is to be told and was not: up to this night, neither muted nor claimed. An event that was voided before
-- anyone heard of it is not told, and neither is its voiding.
select i.item_key, i.mail_kind, i.business_on, i.department, i.card_event_seq, i.payload
from notice_item i
left join card_event e on e.seq = i.card_event_seq
where not i.is_muted
  and i.business_on <= :business_on
  and not exists (select from notice_claim c where c.item_key = i.item_key)
  and (e.event is distinct from 'void' or exists (
      select from notice_item told join notice_claim c using (item_key) where told.card_event_seq = e.voids_seq
  ))
  and not exists (select from card_event v where v.voids_seq = e.seq)
order by i.item_key;
