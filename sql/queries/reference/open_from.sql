-- The cut-off of night N is on N + 1: what becomes known on N + 2 is new to every night up to N.
select max(business_on) + 2 from night
