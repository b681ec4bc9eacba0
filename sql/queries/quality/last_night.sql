select max(business_on) from quality_result
