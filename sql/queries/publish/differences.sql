-- Reconciliation of some days: what was found, settled and is still open at their end, per downstream source and class.
with found as (
    select downstream as source, hop, class, opened_on, closed_on
    from difference_on(:last)
    union all
    select source, source, 'deleted', opened_on, case when closed_on <= :last then closed_on end
    from v_deleted_case
    where opened_on <= :last
)
select source, hop, class, count(*) filter (where opened_on >= :first) as opened,
       count(*) filter (where closed_on is not null) as closed, count(*) filter (where closed_on is null) as standing
from found
where closed_on is null or closed_on >= :first
group by source, hop, class
order by source, hop, array_position(array['missing', 'wrong', 'extra', 'deleted'], class)
