-- What was found since the last night told, to be told to its department once: not what was there before the source went
-- live or came under supervision, nor what is gone again.
insert into notice_item (item_key, mail_kind, business_on, department, payload, is_muted)
select 'A/finding/' || concat_ws('/', f.rule, coalesce(f.record, f.item_code), f.detail, f.opened_on), 'A', f.opened_on,
       f.department,
       jsonb_build_object('rule', f.rule, 'title', f.title, 'basis', f.basis, 'record', f.record, 'detail', f.detail,
                          'case_no', f.case_no, 'item_name', f.item_name, 'opened_on', f.opened_on),
       false
from v_finding f
where f.cleared_on is null
  and not f.is_baseline
  and f.department is not null
  and f.opened_on <= :business_on
  and f.opened_on >= (select min(business_on) from feed where feed.source = f.source)
  and f.opened_on > (select night_told_before(:business_on))
on conflict (item_key) do nothing
