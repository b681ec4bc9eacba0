select role, count(distinct recipient_id) as recipients
from recipient r
where is_active and valid_from <= :today
  and valid_from = (select max(valid_from) from recipient n where n.recipient_id = r.recipient_id and n.valid_from <= :today)
group by role
