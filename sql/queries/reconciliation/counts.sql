-- Records of two sources per kind and day they happened, newest versions by what was known at a moment.
select kind, (occurred_at at time zone 'Asia/Shanghai')::date as on_date,
       count(*) filter (where source = :upstream) as upstream, count(*) filter (where source = :downstream) as downstream
from message m
where source in (:upstream, :downstream) and kind = any (:kinds) and known_at <= :known_by
  and occurred_at >= :from_at and occurred_at < :until_at
  and not exists (
      select
      from message n
      where (n.source, n.case_no, n.kind, n.seq) = (m.source, m.case_no, m.kind, m.seq)
        and n.version > 1 and n.version > m.version and n.known_at <= :known_by
  )
group by 1, 2
order by 1, 2
