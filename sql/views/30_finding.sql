-- Findings: of a case or its data one by one, of an item once however many cases show it.
create or replace view v_finding as
with latest as (
    select distinct on (rule, record, detail) *
    from finding_event
    order by rule, record, detail, business_on desc
),
found as (
    select r.title, r.basis, r.about, l.*, o.opened_on, case when l.event = 'cleared' then l.business_on end as cleared_on
    from latest l
    join finding_rule r using (rule)
    join (
        select rule, record, detail, max(business_on) as opened_on
        from finding_event
        where event = 'opened'
        group by rule, record, detail
    ) o using (rule, record, detail)
)
select rule, title, basis, about, source, case_no, record, item_code, item_name, department, detail, occurred_at,
       evidence, opened_on, cleared_on, is_baseline, 1::bigint as case_count
from found
where about <> 'item'
union all
select rule, title, basis, about, min(source), null, null, item_code, max(item_name), max(department), detail,
       min(occurred_at), min(evidence), min(opened_on),
       case when bool_and(event = 'cleared') then max(cleared_on) end, bool_and(is_baseline), count(*)
from found
where about = 'item'
group by rule, title, basis, about, item_code, detail;
