-- A decision dated before the one it follows in the chain.
select seq
from (
    select seq, decided_at,
           max(decided_at) over (
               partition by source, case_no, clock, clock_key, level order by seq
               rows between unbounded preceding and 1 preceding
           ) as latest_before
    from card_decision
) dated
where decided_at < latest_before
order by seq
limit 1
