insert into feed_incident (source, opened_on, state, detail)
select :source, :business_on, :state, :detail
where not exists (
    select from feed_incident
    where source = :source and opened_on <= :business_on and (closed_on is null or closed_on > :business_on)
)
on conflict (source, opened_on) do nothing
returning opened_on
