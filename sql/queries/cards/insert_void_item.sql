-- A told card event that is taken back without another in its place must be told too.
insert into notice_item (item_key, mail_kind, business_on, department, card_event_seq, is_muted)
select cast(:business_key as text) || 'void/' || cast(:seq as text), 'A', cast(:business_on as date), cast(:department as text), cast(:seq as bigint), false
where exists (
    select from notice_item told
    join notice_claim using (item_key)
    where starts_with(told.item_key, :business_key)
)
on conflict (item_key) do nothing
