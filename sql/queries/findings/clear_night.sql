delete from finding_event where business_on = :business_on
