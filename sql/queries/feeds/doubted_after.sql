select business_on
from feed
where source = :source and business_on > :business_on and state in ('low', 'silent')
order by 1
