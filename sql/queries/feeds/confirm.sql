insert into feed_confirmation (source, business_on, actor, reason)
values (:source, :business_on, :actor, :reason)
on conflict (source, business_on) do update
set actor = excluded.actor, reason = excluded.reason, confirmed_at = now()
