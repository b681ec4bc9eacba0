-- Yellow and red cards at the end of a week: waiting for a decision, and not yet answered by the department.
select count(*) filter (where state in ('pending', 'appealed', 'escalated') or (state = 'issued' and nature = 'suspect'))
           as undecided,
       count(*) filter (where owes_feedback(state, nature, level, is_baseline)) as unanswered
from card_on(:last)
where not is_baseline and level in ('yellow', 'red') and known_at <= :data_until;
