-- Cards withdrawn on some nights because the data came late, with the hop that answers, by what is known at the last.
select responsible_hop, source, case_no, level, clock, item_name, business_on, evidence
from card_on(:last)
where event = 'withdrawn' and nature = 'push_delay' and business_on between :first and :last and not is_baseline
order by responsible_hop, level_rank(level) desc, business_on, case_no, clock, clock_key
