-- A decision to tell the department; a baseline card is told to nobody, and neither is what becomes of it.
insert into notice_item (item_key, mail_kind, business_on, department, card_event_seq, decision_seq, is_muted)
select :item_key, 'E', d.business_on, c.department, c.seq, d.seq, false
from card_decision d
join v_card c using (source, case_no, clock, clock_key, level)
where d.seq = :seq and not c.is_baseline
