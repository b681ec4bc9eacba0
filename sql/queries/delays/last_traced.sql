select max(business_on) from night where traced_fingerprint is not null
