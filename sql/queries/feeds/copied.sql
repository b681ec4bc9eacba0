-- Files with rows whose content was delivered under another name up to the last complete night: another day's file, not
-- this one's, as long as none of that name with a content of its own came after it.
with tonight as (
    select p.stream, p.meta ->> 'file' as file, earlier.copy_of
    from landed_page p
    cross join lateral (
        select max(e.meta ->> 'file') as copy_of
        from landed_page e
        where (e.source, e.stream, e.sha256) = (p.source, p.stream, p.sha256)
          and e.business_on <= :complete_on and e.meta ->> 'file' <> p.meta ->> 'file'
    ) earlier
    where p.source = :source and p.business_on = :business_on and p.rows_total > 0
)
select file, min(copy_of) as copy_of
from tonight
group by stream, file
having bool_and(copy_of is not null)
order by 1
