-- Special procedures of given cases: begin, end (null: still open) and approved days; an extension stops no clock.
with newest as (
    select distinct on (case_no, kind, seq) case_no, kind, seq, occurred_at, payload
    from message
    where case_no = any(:case_nos) and kind in ('special_start', 'special_result') and known_at <= :data_until
    order by case_no, kind, seq, source = any(cast(:own_systems as text[])) desc, source, version desc
)
select s.case_no, s.occurred_at as began_at, r.occurred_at as ended_at,
       (s.payload ->> 'approved_days')::float8 as approved_days
from newest s
left join newest r on r.case_no = s.case_no and r.seq = s.seq and r.kind = 'special_result'
where s.kind = 'special_start' and s.payload ->> 'special_kind' is distinct from 'extension'
order by s.case_no, s.seq;
