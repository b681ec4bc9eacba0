-- Every pair of sources reconciled by a night: the last night up to it that both were complete, and open differences.
select r.upstream, r.downstream, r.compared_on, coalesce(d.missing, 0) as missing, coalesce(d.extra, 0) as extra,
       coalesce(d.wrong, 0) as wrong
from (
    select upstream, downstream, max(compared_on) as compared_on
    from reconciled_night
    where business_on <= :night
    group by upstream, downstream
) r
left join (
    select upstream, downstream, count(*) filter (where class = 'missing') as missing,
           count(*) filter (where class = 'extra') as extra, count(*) filter (where class = 'wrong') as wrong
    from difference_on(:night)
    where closed_on is null
    group by upstream, downstream
) d using (upstream, downstream)
order by r.upstream, r.downstream
