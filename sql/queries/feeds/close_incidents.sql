update feed_incident
set closed_on = :business_on
where source = :source and closed_on is null and opened_on <= :business_on
