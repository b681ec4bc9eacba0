select department_name(department, :last) as department, level, case_no, item_name, clock, used_days, limit_days,
       reached_at, issued_on, nature, state, provisional, responsible_hop, count(*) over () as total
from card_on(:last)
where issued_on between :first and :last
  and known_at <= :data_until
  and not is_baseline
  and level in ('red', 'yellow')
  and (is_highest or not counts)
order by counts desc, level_rank(level) desc, used_days - limit_days desc, case_no, clock, clock_key
limit :most;
