select *
from v_card_event
where business_on = :business_on and source = any (:sources)
