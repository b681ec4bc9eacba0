select source, case_no, kind, seq, version, department, written_at, received_at,
       (known_at at time zone 'Asia/Shanghai')::date - 1 as business_on
from message
where source = :source and known_at = any (:nights)
  and received_at - written_at > make_interval(secs => :warn_after_seconds)
