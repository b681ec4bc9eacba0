-- Cards withdrawn in a week because the data came late, by department and the hop that answers for it.
select department_name(department, :last) as department, responsible_hop,
       count(*) filter (where level = 'red') as red,
       count(*) filter (where level = 'yellow') as yellow,
       count(*) filter (where level = 'reminder') as reminder
from card_on(:last)
where event = 'withdrawn'
  and nature = 'push_delay'
  and business_on between :first and :last
  and known_at <= :data_until
  and not is_baseline
group by 1, 2
order by 1, 2;
