-- One night's lags per link and department, exact (nearest rank); negative ones are counted, never averaged in.
select link, department, count(*) as message_count, count(*) filter (where lag < 0) as negative_count,
       quantile_disc(lag, [0.5, 0.95]) filter (where lag >= 0) as p50_p95_seconds,
       max(lag) filter (where lag >= 0) as max_seconds
from (
    select link, department, cast((epoch_us(received_at) - epoch_us(written_at)) // 1000000 as integer) as lag
    from read_parquet($path)
    where business_on = $night
)
group by link, department
