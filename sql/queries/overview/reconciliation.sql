-- Per source: records on which it differs from what an upstream source holds, and cases it has deleted, still open.
select downstream as source, upstream, class, count(*) as records
from v_difference
where closed_on is null
group by downstream, upstream, class
union all
select source, null, 'deleted', count(*) from v_deleted_case where closed_on is null group by source
order by 1, 2, 3
