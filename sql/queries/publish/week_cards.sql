-- Cards first issued in a week as they stood at its end, by department and level; of standing ones a clock's highest.
-- Withdrawn by re-judgement or revoked by a person, a card still counts as one that was issued.
select department_name(department, :last) as department, level, standing_cards, withdrawn_cards
from (
    select department, level,
           count(*) filter (where counts) as standing_cards,
           count(*) filter (where not counts) as withdrawn_cards
    from card_on(:last)
    where issued_on between :first and :last
      and known_at <= :data_until
      and not is_baseline
      and (is_highest or not counts)
    group by department, level
) counted
order by 1, level_rank(level) desc;
