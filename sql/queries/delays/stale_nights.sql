-- Nights whose measured messages differ from those known now.
with known as (
    select source, known_at, count(*) as messages
    from message
    where known_at <= :until and written_at is not null
    group by source, known_at
),
measured as (
    select source, business_on, sum(message_count) as messages
    from link_lag
    where hop like 'entry:%'
    group by source, business_on
)
select distinct k.known_at
from known k
left join measured m on m.source = k.source and m.business_on = (k.known_at at time zone 'Asia/Shanghai')::date - 1
where m.messages is distinct from k.messages
order by k.known_at
