insert into reconciled_night (upstream, downstream, business_on, fingerprint, compared_on, cutoff_at)
values (:upstream, :downstream, :business_on, :fingerprint, :compared_on, :cutoff_at)
