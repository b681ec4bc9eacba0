-- How much arrived for each night: when it was received, or where that is unknown, when it was known.
select ((least(received_at, known_at) at time zone 'Asia/Shanghai')
           - cast(:cutoff as interval) - interval '1 microsecond')::date as on_date,
       kind, count(*) as messages
from message
where source = :source and known_at > :after and known_at <= :known_by
group by 1, 2
