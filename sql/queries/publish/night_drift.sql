-- What the night found changed in the sources themselves: columns that came or went, formats, codes nobody agreed on.
select source, title, checked_rows, failed_rows
from quality_result
where business_on = :business_on and suite = 'drift'
order by source, rule collate "C";
