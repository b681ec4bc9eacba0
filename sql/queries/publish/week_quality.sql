-- Rows refused in a week, by source, and how many of them a corrected module accepted since.
select source, count(*) as refused, count(*) filter (where is_replayed) as replayed
from (
    select source, stream, row_sha256, bool_and(state = 'replayed') as is_replayed
    from quarantine
    where business_on between :first and :last
    group by source, stream, row_sha256
) one
group by source
order by source;
