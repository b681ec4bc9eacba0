-- Cases that were deleted in their source as listed by a night.
select source, case_no, absent_on, opened_on
from v_deleted_case
where opened_on <= :night and (closed_on is null or closed_on > :night)
order by source, opened_on, case_no collate "C"
