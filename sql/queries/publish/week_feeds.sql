select source, business_on, state
from feed
where business_on between :first and :last
order by source, business_on;
