-- Cards of one night by department and level: new, withdrawn and to be verified tonight, and standing in all. A reminder
-- whose clock has stopped is told to nobody and is not new.
select department_name(department, :business_on) as department, level, new_cards, withdrawn_cards, suspect_cards,
       standing_cards
from (
    select department, level,
           count(*) filter (
               where case when is_manual then issued_on = :business_on
                          else business_on = :business_on and event in ('issued', 'reinstated') end
               and is_highest
               and (level <> 'reminder' or exists (select from notice_item i where i.card_event_seq = seq))
           ) as new_cards,
           count(*) filter (
               where case state when 'withdrawn' then business_on when 'revoked' then decided_on end = :business_on
               and issued_on is not null
           ) as withdrawn_cards,
           count(*) filter (
               where business_on = :business_on and state = 'issued' and nature = 'suspect'
           ) as suspect_cards,
           count(*) filter (where is_highest) as standing_cards
    from card_on(:business_on)
    where not is_baseline
    group by department, level
) counted
order by 1, level_rank(level) desc;
