insert into notice_claim (item_key, notice_key)
select item_key, :notice_key from unnest(cast(:item_keys as text[])) as i (item_key);
