-- Whether a listing taken now is one of this night: its feed is complete, nothing later was pulled, none was taken yet.
select exists (
    select
    from feed f
    join watermark w using (source)
    where f.source = :source and f.business_on = :business_on and f.state = 'complete' and f.known_basis = 'night'
      and not exists (select from feed later where later.source = f.source and later.business_on > f.business_on)
      and not exists (select from case_listing l where l.source = f.source and l.business_on >= f.business_on)
)
