-- Without buckets or a join: both sides whole, in the order of their keys, to be merged by who reads them.
with newest as (
    select distinct on (source, case_no, kind, seq) *
    from message
    where source in ('up', 'down')
    order by source, case_no, kind, seq, version desc
)
select source = 'up' as is_upstream, case_no, kind, seq, version,
       (jsonb_build_object('occurred_at', occurred_at, 'item_code', item_code) || payload)::text as said,
       written_at as first_at, written_at as newest_at
from newest
order by case_no collate "C", kind collate "C", seq, is_upstream desc
