-- The naive way: the newest versions of both sides, joined by their keys, every field compared.
with newest as (
    select distinct on (source, case_no, kind, seq) source, case_no, kind, seq, occurred_at, item_code, payload
    from message
    where source in ('up', 'down') and known_at <= %(known_by)s
    order by source, case_no, kind, seq, version desc
)
select count(*) filter (where d.case_no is null) as missing,
       count(*) filter (where u.case_no is null) as extra,
       count(*) filter (where (u.occurred_at, u.item_code, u.payload) <> (d.occurred_at, d.item_code, d.payload)) as wrong
from (select * from newest where source = 'up') u
full join (select * from newest where source = 'down') d using (case_no, kind, seq)
