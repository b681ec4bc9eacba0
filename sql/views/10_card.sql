-- Card events that count: neither void nor voided.
create or replace view v_card_event as
select e.*
from card_event e
where e.event <> 'void'
  and not exists (select from card_event v where v.voids_seq = e.seq);

-- A card is its latest counting event, by night and not by the order of appending.
create or replace view v_card as
select latest.*,
       first_event.business_on as issued_on,
       latest.standing and level_rank(latest.level) = max(level_rank(latest.level)) filter (where latest.standing)
           over (partition by latest.source, latest.case_no, latest.clock, latest.clock_key) as is_highest
from (
    select distinct on (source, case_no, clock, clock_key, level) *
    from v_card_event
    order by source, case_no, clock, clock_key, level, business_on desc, seq desc
) latest
join (
    select source, case_no, clock, clock_key, level, min(business_on) as business_on
    from v_card_event
    where event = 'issued'
    group by source, case_no, clock, clock_key, level
) first_event using (source, case_no, clock, clock_key, level);
