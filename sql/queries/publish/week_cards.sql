-- Cards first issued in a week as they stood at its end, by department and level; of standing ones a clock's highest.
select department_name(department, :last) as department, level, standing_cards, withdrawn_cards
from (
    select department, level,
           count(*) filter (where standing) as standing_cards,
           count(*) filter (where not standing) as withdrawn_cards
    from card_on(:last)
    where issued_on between :first and :last
      and known_at <= :data_until
      and not is_baseline
      and (is_highest or not standing)
    group by department, level
) counted
order by 1, level_rank(level) desc;
