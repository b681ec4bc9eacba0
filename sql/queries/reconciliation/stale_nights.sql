-- Judged nights of a pair of sources that were reconciled from something else than what they rest on, or never; with the
-- last night up to each, and the last before it, on which both sources were complete. Another run waits.
with both_complete as (
    select n.business_on
    from night n
    where not exists (
        select
        from unnest(array[cast(:upstream as text), :downstream]) s (source)
        left join watermark w using (source)
        left join feed f on f.source = s.source and f.business_on = n.business_on and f.state = 'complete'
        where w.source is null or (f.source is null and n.business_on >= w.first_on)
    )
)
select n.business_on, cast(:compares as text) || n.fingerprint as fingerprint,
       (select max(b.business_on) from both_complete b where b.business_on <= n.business_on) as compared_on,
       (select max(b.business_on) from both_complete b where b.business_on < n.business_on) as compared_before
from night n
left join reconciled_night r
    on (r.business_on, r.upstream, r.downstream) = (n.business_on, :upstream, :downstream)
where r.fingerprint is distinct from cast(:compares as text) || n.fingerprint
order by n.business_on
for update of n
