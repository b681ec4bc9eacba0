select distinct on (code) code, name
from department
where valid_from <= :business_on
order by code, valid_from desc;
