-- Cards of which the department was told, that owe feedback at the end of the night and were issued long enough ago,
-- each with the number of stages it was followed up through.
select c.seq, c.source, c.case_no, c.clock, c.clock_key, c.level, c.department, c.issued_on, told.stages
from card_on(:business_on) c
cross join lateral (
    select count(distinct t.item_key) filter (where t.mail_kind = 'D') as stages,
           bool_or(t.mail_kind = 'A' and n.item_key is not null) as is_told
    from card_event e
    join notice_item t on t.card_event_seq = e.seq
    left join notice_claim n using (item_key)
    where (e.source, e.case_no, e.clock, e.clock_key, e.level) = (c.source, c.case_no, c.clock, c.clock_key, c.level)
) told
where owes_feedback(c.state, c.nature, c.level, c.is_baseline)
  and c.issued_on <= :issued_until
  and told.is_told
order by c.source, c.seq
