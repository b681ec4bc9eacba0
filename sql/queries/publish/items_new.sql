-- What is to be told and was not: up to this night, neither muted nor claimed. An event that was voided before
-- anyone heard of it is not told, and neither is its voiding. A card a person has to issue waits for it; of one that was
-- revoked only the decision is told; feedback that was accepted, or a card revoked, needs no following up. A finding gone
-- again is not told.
select i.item_key, i.mail_kind, i.business_on, i.department, i.card_event_seq, i.payload
from notice_item i
left join card_event e on e.seq = i.card_event_seq
left join lateral (
    select array_agg(d.decision) as made
    from card_decision d
    where (d.source, d.case_no, d.clock, d.clock_key, d.level)
        = (e.source, e.case_no, e.clock, e.clock_key, e.level)
) decisions on true
where not i.is_muted
  and i.business_on <= :business_on
  and not exists (select from notice_claim c where c.item_key = i.item_key)
  and (i.mail_kind <> 'A' or (
      (e.event is distinct from 'void' or exists (
          select from notice_item told join notice_claim c using (item_key) where told.card_event_seq = e.voids_seq
      ))
      and not exists (select from card_event v where v.voids_seq = e.seq)
      and not (coalesce(e.is_manual, false) and 'issue' <> all (coalesce(made, '{}')))
      and 'revoke' <> all (coalesce(made, '{}'))
  ))
  and (i.mail_kind <> 'D' or not made && array['close', 'revoke'] or made is null)
  and not exists (
      select
      from finding_event gone
      where (gone.rule, gone.record, gone.detail)
          = (i.payload ->> 'rule', i.payload ->> 'record', i.payload ->> 'detail')
        and gone.event = 'cleared'
        and gone.business_on > (i.payload ->> 'opened_on')::date
  )
order by i.item_key;
