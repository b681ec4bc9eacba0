-- 倒序: became known on a later night than a record of its case and source that was written later.
insert into push_finding (source, case_no, kind, seq, version, hop, class, business_on, department, set_out_at, reached_at)
select m.source, m.case_no, m.kind, m.seq, m.version, r.hop, 'out_of_order', :business_on,
       coalesce(m.department, ''), m.written_at, coalesce(m.received_at, m.known_at)
from message m
join unnest(cast(:sources as text[]), cast(:hops as text[])) r (source, hop) using (source)
where m.known_at > :after and m.known_at <= :until
  and exists (
      select
      from message later
      where later.source = m.source and later.case_no = m.case_no
        and later.written_at > m.written_at and later.known_at <= :after
  )
on conflict do nothing
