-- Rows set aside since the last night told that are still open, one line a row: to be told to their department once.
select distinct on (q.source, q.stream, q.row_sha256)
       q.source, q.stream, q.row_sha256, q.reason, q.detail, q.case_no, q.kinds, q.business_on
from quarantine q
where q.state = 'open'
  and q.business_on <= :business_on
  and q.business_on >= (select min(business_on) from feed where feed.source = q.source)
  and q.business_on > (select night_told_before(:business_on))
order by q.source, q.stream, q.row_sha256, q.reason
