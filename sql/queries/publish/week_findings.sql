-- What the rules other than time newly found in a week and what went away, by department and rule; an item counts once.
select department_name(department, :last) as department, title, basis,
       count(distinct subject) filter (where event = 'opened') as opened,
       count(distinct subject) filter (where event = 'cleared') as cleared
from (
    select e.department, r.title, r.basis, e.event,
           case when r.about = 'item' then e.item_code else e.record || '/' || e.detail end as subject
    from finding_event e
    join finding_rule r using (rule)
    where e.business_on between :first and :last and not e.is_baseline
) found
group by 1, 2, 3
order by 1, 4 desc, 2;
