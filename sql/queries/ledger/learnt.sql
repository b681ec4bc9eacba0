-- What became known of some cases in (since, until].
select source, case_no, kind, seq, version, known_at
from message
where case_no = any(:cases) and known_at > :since and known_at <= :until
order by case_no, known_at, source, kind, seq, version
