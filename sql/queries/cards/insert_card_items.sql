-- What the events appended just now tell. A card event is told once: appended again after a void it is muted if its
-- first telling has left already. A void is told when its event was told and no other takes its place.
with appended as (
    select e.seq as card_event_seq, e.event = 'void' as is_void, c.source, c.case_no, c.clock, c.clock_key, c.level,
           c.event, c.business_on, c.department, c.revision
    from card_event e
    join card_event c on c.seq = coalesce(e.voids_seq, e.seq)
    where e.seq = any (cast(:seqs as bigint[]))
), told as (
    select a.*, exists (
        select from card_event b
        join notice_item i on i.card_event_seq = b.seq
        join notice_claim using (item_key)
        where (b.source, b.case_no, b.clock, b.clock_key, b.level, b.business_on, b.event)
            = (a.source, a.case_no, a.clock, a.clock_key, a.level, a.business_on, a.event)
    ) as has_left
    from appended a
)
insert into notice_item (item_key, mail_kind, business_on, department, card_event_seq, is_muted)
select concat_ws('/', 'A', source, case_no, clock, clock_key, level, event, to_char(business_on, 'YYYY-MM-DD'),
                 case when is_void then 'void/' || card_event_seq else revision::text end),
       'A', business_on, department, card_event_seq, has_left and not is_void
from told
where has_left or not is_void
order by card_event_seq
on conflict (item_key) do nothing
