-- How many messages each source had at each knowledge time: what a night's judgement rests on.
select source, known_at, count(*) as messages
from message
group by known_at, source
order by known_at, source
