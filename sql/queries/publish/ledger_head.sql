-- The end of the evidence chain, and the versions of the newest judged night with events up to this one.
select coalesce((select hash from v_chain order by seq desc limit 1), repeat('0', 64)) as head_hash,
       coalesce(array_agg(distinct e.profile_version), '{}') as profile_versions,
       coalesce(array_agg(distinct e.calendar_version), '{}') as calendar_versions,
       now() as composed_at
from card_event e
where e.business_on = (select max(business_on) from card_event where business_on <= :business_on);
