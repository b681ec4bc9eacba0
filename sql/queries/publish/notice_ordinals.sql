-- How many notices each stem already has: a later digest of the same night gets the next number.
select stem, count(n.notice_key) as composed
from unnest(cast(:stems as text[])) as s (stem)
left join notice n on n.notice_key = stem or starts_with(n.notice_key, stem || '/#')
group by stem;
