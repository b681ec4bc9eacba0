-- 回填: after the boundary of a card of its case a newer version says it happened before it, an older one said later.
insert into push_finding (source, case_no, kind, seq, version, hop, class, business_on, department, set_out_at, reached_at)
select m.source, m.case_no, m.kind, m.seq, m.version, 'entry:' || m.source, 'back_dated', :business_on,
       coalesce(m.department, ''), m.occurred_at, m.written_at
from message m
where m.known_at > :after and m.known_at <= :until and m.version > 1
  and exists (
      select
      from message said
      join v_card_event e on e.source = m.source and e.case_no = m.case_no and e.business_on <= :business_on
      where (said.source, said.case_no, said.kind, said.seq) = (m.source, m.case_no, m.kind, m.seq)
        and said.version < m.version and said.known_at <= :until
        and m.occurred_at <= e.reached_at and said.occurred_at > e.reached_at and m.written_at > e.reached_at
  )
on conflict do nothing
