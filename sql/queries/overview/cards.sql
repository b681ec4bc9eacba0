-- A card that waits for a person to issue it is neither.
select level, nature, count(*) filter (where counts) as standing,
       count(*) filter (where state in ('withdrawn', 'revoked')) as withdrawn
from v_card
group by level, nature
order by level_rank(level) desc, nature
