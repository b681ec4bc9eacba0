insert into feed_confirmation (source, business_on, actor, reason)
values (:source, :business_on, :actor, :reason)
