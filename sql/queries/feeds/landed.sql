select coalesce(sum(rows_total), 0) as landed_rows, coalesce(sum(rows_total - rows_repeated), 0) as new_rows
from landed_page
where source = :source and business_on = :business_on
