select source, state, declared_rows, landed_rows, accepted_rows, repeated_rows, quarantined_rows, unexplained_rows,
       detail
from feed
where business_on = :business_on
order by source;
