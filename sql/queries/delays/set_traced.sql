update night set traced_fingerprint = fingerprint, cutoff_at = :cutoff_at where business_on = :business_on
