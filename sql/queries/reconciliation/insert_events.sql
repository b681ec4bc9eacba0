-- What was found at a night (moment 1) and not the one before (moment 0) opens, and the other way round is cleared.
insert into difference_event (upstream, downstream, case_no, kind, seq, class, business_on, event, hop, due_at, fields,
                              upstream_version, downstream_version)
select :upstream, :downstream, case_no, kind, seq, class, :business_on,
       case f.moment when 1 then 'opened' else 'cleared' end, :hop, due_at, string_to_array(fields, ','),
       nullif(upstream_version, 0), nullif(downstream_version, 0)
from found f
where not exists (
    select
    from found o
    where (o.case_no, o.kind, o.seq, o.class) = (f.case_no, f.kind, f.seq, f.class) and o.moment <> f.moment
)
