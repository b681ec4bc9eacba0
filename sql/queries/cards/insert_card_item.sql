-- A card event to tell, told once: appended again after a void, it is muted if its first telling has left already.
insert into notice_item (item_key, mail_kind, business_on, department, card_event_seq, is_muted)
values (cast(:business_key as text) || cast(:revision as text), 'A', :business_on, :department, :seq, exists (
    select from notice_item told
    join notice_claim using (item_key)
    where starts_with(told.item_key, :business_key)
))
on conflict (item_key) do nothing
