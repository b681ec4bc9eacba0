select item_code, department, valid_from, status, fee_standard::float8
from item
order by item_code, valid_from
