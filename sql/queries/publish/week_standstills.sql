-- Per source the longest time in which something was written and waiting and yet nothing arrived, ending in the week.
with arrivals as (
    select source, received_at, min(written_at) as oldest_written, count(*) as arrived
    from message
    where written_at <= received_at and known_at <= :data_until
    group by source, received_at
),
gaps as (
    select source, received_at as ended_at, arrived,
           greatest(
               lag(received_at) over (partition by source order by received_at),
               min(oldest_written) over (
                   partition by source order by received_at rows between current row and unbounded following
               )
           ) as began_at
    from arrivals
)
select distinct on (source) source, began_at, ended_at, arrived,
       extract(epoch from ended_at - began_at)::bigint as seconds
from gaps
where ended_at >= :from_at and ended_at < :until_at and ended_at > began_at
order by source, ended_at - began_at desc, ended_at;
