with night as (
    delete from reconciled_night
    where (upstream, downstream, business_on) = (:upstream, :downstream, :business_on)
)
delete from difference_event where (upstream, downstream, business_on) = (:upstream, :downstream, :business_on)
