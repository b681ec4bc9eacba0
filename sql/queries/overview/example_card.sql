-- One card of a nature, the highest and latest first.
select source, case_no, level, nature, responsible_hop, reached_at, issued_on, business_on, department, item_name
from v_card
where nature = :nature and not is_baseline and issued_on is not null
order by level_rank(level) desc, business_on desc, case_no
limit 1
