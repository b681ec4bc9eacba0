-- When records that must come before others first happened, of those known by a moment; $1 … $4: one key per place.
select m.source, m.case_no, m.kind, m.seq, min(m.occurred_at) as at
from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as wanted (source, case_no, kind, seq)
join message m using (source, case_no, kind, seq)
where m.known_at <= $5
group by m.source, m.case_no, m.kind, m.seq
