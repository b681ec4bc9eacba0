select source, min(business_on) as first_on from feed group by source
