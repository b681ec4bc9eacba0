select level, nature, count(*) filter (where standing) as standing, count(*) filter (where not standing) as withdrawn
from v_card
group by level, nature
order by level_rank(level) desc, nature
