-- Who is written to on this night: the latest valid row of each recipient, if active.
select recipient_id, name, email, role, department
from (
    select distinct on (recipient_id) *
    from recipient
    where valid_from <= :business_on
    order by recipient_id, valid_from desc
) latest
where is_active
order by recipient_id;
