update notice
set state = :state, detail = :detail, attempts = attempts + :attempts, updated_at = now()
where notice_key = :notice_key and state = :was;
