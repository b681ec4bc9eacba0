insert into notice_item (item_key, mail_kind, business_on, department, card_event_seq, payload, is_muted)
values (:item_key, 'D', :business_on, :department, :card_event_seq, cast(:payload as jsonb), false)
on conflict (item_key) do nothing
