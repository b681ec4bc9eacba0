-- Known cases of a source that its full listing lacks, or has again. What was absent from the listing before this one too
-- is deleted; a case stays so until it is listed again.
with last as (
    select distinct on (case_no) case_no, event
    from case_absence
    where source = :source
    order by case_no, business_on desc
),
told as (
    select m.case_no, l.event, not exists (select from listed where listed.case_no = m.case_no) as is_absent
    from (select distinct case_no from message where source = :source and known_at <= :known_by) m
    left join last l using (case_no)
),
now as (
    select case_no,
           case when not is_absent and event in ('absent', 'deleted') then 'returned'
                when is_absent and event = 'absent' then 'deleted'
                when is_absent and event is distinct from 'deleted' then 'absent' end as event
    from told
)
insert into case_absence (source, case_no, business_on, event)
select :source, case_no, :business_on, event from now where event is not null
returning event
