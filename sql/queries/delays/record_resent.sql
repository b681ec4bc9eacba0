-- 重报: what became known with a night and is not the first word on its record.
insert into push_finding (source, case_no, kind, seq, version, hop, class, business_on, department, set_out_at, reached_at)
select source, case_no, kind, seq, version, 'entry:' || source, 'resent', :business_on, coalesce(department, ''),
       occurred_at, coalesce(written_at, received_at, known_at)
from message
where known_at > :after and known_at <= :until and version > 1
on conflict do nothing
