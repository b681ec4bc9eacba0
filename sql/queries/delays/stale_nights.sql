-- Nights whose lags and findings rest on something else than what the night was judged from; another run waits.
select business_on from night where traced_fingerprint is distinct from fingerprint order by business_on for update
