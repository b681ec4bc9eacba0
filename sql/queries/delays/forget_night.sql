with lags as (delete from link_lag where business_on = :business_on),
     quiet as (delete from silence where business_on = :business_on),
     queues as (delete from queue_shape where business_on = :business_on)
delete from push_finding where business_on = :business_on
