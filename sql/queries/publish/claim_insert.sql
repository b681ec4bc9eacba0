insert into notice_claim (item_key, recipient_id, notice_key)
select item_key, :recipient_id, :notice_key from unnest(cast(:item_keys as text[])) as i (item_key);
