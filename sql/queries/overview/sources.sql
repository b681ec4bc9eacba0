-- Per source: rows of all nights together, and the newest night's feed. A quarantined row is one row however often it
-- came (each time more is a repetition), and accepted once a replay let it pass (one dismissed stays out); nothing is lost in between:
-- accepted + repeated + quarantined = what the feeds counted.
with refused as (
    select source, count(*) as known, count(*) filter (where is_open) as quarantined
    from (
        select source, stream, row_sha256, bool_or(state <> 'replayed') as is_open
        from quarantine
        group by source, stream, row_sha256
    ) one
    group by source
)
select f.source,
       max(f.business_on) filter (where f.state = 'complete') as last_complete_on,
       (sum(f.accepted_rows) + coalesce(max(r.known - r.quarantined), 0))::bigint as accepted,
       (sum(f.repeated_rows) + sum(f.quarantined_rows) - coalesce(max(r.known), 0))::bigint as repeated,
       coalesce(max(r.quarantined), 0)::bigint as quarantined,
       sum(f.unexplained_rows)::bigint as unexplained,
       (array_agg(f.state order by f.business_on desc))[1] as state
from feed f
left join refused r using (source)
group by f.source
order by f.source
