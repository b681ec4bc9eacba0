-- What an interrupted feed freezes: the source's standing cards, and the last night it was complete.
select f.source,
       (select max(business_on) from feed where source = f.source and state = 'complete'
           and business_on <= :business_on) as complete_on,
       count(c.seq) filter (where c.level = 'red') as red,
       count(c.seq) filter (where c.level = 'yellow') as yellow,
       count(c.seq) filter (where c.level = 'reminder') as reminder
from unnest(cast(:sources as text[])) as f (source)
left join card_on(:business_on) c on c.source = f.source and c.is_highest and not c.is_baseline
group by f.source
order by f.source;
