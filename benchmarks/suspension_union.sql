-- Union of each case's intervals, summed: islands begin where the furthest end so far lies before the next begin.
with marked as (
    select owner, low, high,
           max(high) over (partition by owner order by low rows between unbounded preceding and 1 preceding) as reach
    from span
), islands as (
    select owner, low, high, sum(case when low <= reach then 0 else 1 end) over (partition by owner order by low) as island
    from marked
), united as (
    select owner, max(high) - min(low) as days
    from islands
    group by owner, island
), excluded as (
    select owner, sum(days) as days
    from united
    group by owner
)
select count(*), sum(days)
from excluded
