-- Rows set aside since the last night told that are still open, one line a row: to be told to their department once.
-- A row is set aside by the night that admitted its page, which may have had to wait.
select distinct on (q.source, q.stream, q.row_sha256)
       q.source, q.stream, q.row_sha256, q.reason, q.detail, q.case_no, q.kinds, a.business_on
from quarantine q
join landed_page p using (page_id)
cross join lateral (select (p.known_at at time zone 'Asia/Shanghai')::date - 1 as business_on) a
where q.state = 'open'
  and q.business_on >= (select min(business_on) from feed where feed.source = q.source)
  and a.business_on <= :business_on
  and a.business_on > (select night_told_before(:business_on))
order by q.source, q.stream, q.row_sha256, q.reason
