-- A mail whose end was perhaps sent: only a person can tell, so it is never sent again by itself.
update notice
set state = 'held', updated_at = now(), detail = '发送中断：服务器可能已收下，请人工核对'
where state = 'dot'
returning notice_key;
