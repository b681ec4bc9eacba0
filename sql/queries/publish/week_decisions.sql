-- What people decided in a week and what was followed up, by department.
with told as (
    select c.department, d.decision as what
    from card_decision d
    join card_on(:last) c using (source, case_no, clock, clock_key, level)
    where d.business_on between :first and :last
    union all
    select department, 'follow_up'
    from notice_item
    where mail_kind = 'D' and business_on between :first and :last
)
select department_name(department, :last) as department,
       count(*) filter (where what = 'follow_up') as followed_up,
       count(*) filter (where what = 'issue') as issued,
       count(*) filter (where what = 'appeal') as appealed,
       count(*) filter (where what = 'uphold') as upheld,
       count(*) filter (where what = 'revoke') as revoked,
       count(*) filter (where what = 'escalate') as escalated,
       count(*) filter (where what = 'close') as closed
from told
group by 1
order by 1;
