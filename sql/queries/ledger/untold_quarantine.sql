-- Rows set aside since the last night told that are still open, one line a row: to be told to their department once. A
-- night whose summary is muted was told to nobody, for good.
select distinct on (q.source, q.stream, q.row_sha256)
       q.source, q.stream, q.row_sha256, q.reason, q.detail, q.case_no, q.kinds, q.business_on
from quarantine q
where q.state = 'open'
  and q.business_on <= :business_on
  and q.business_on >= (select min(business_on) from feed where feed.source = q.source)
  and q.business_on > coalesce((
      select max(b.business_on)
      from notice_item b
      where b.mail_kind = 'B' and b.business_on < :business_on
        and (b.is_muted or exists (select from notice_claim c where c.item_key = b.item_key))
  ), '-infinity')
order by q.source, q.stream, q.row_sha256, q.reason
