-- Incidents as the verdicts have them: nights not complete that have the same next complete night, or none yet.
create or replace view v_feed_incident as
select distinct on (source, closed_on) source, business_on as opened_on, state, detail, closed_on
from (
    select f.*, (
        select min(c.business_on)
        from feed c
        where c.source = f.source and c.state = 'complete' and c.business_on > f.business_on
    ) as closed_on
    from feed f
    where f.state <> 'complete'
) incomplete
order by source, closed_on, business_on;

-- Cards as they stood at the end of one night, with what people had decided by then (v_card: with everything known).
create or replace function card_on(night date) returns setof v_card language sql stable as $$
    select held.*,
           card_state(standing, is_manual, decision, counts and not is_highest) as state
    from (
        select latest.*, first_event.business_on as raised_on, first_event.known_at as raised_at,
               case when latest.is_manual then decided.issued_on else first_event.business_on end as issued_on,
               decided.decision, decided.decided_on, decided.decided_at, counted.counts,
               counted.counts and level_rank(latest.level) = max(level_rank(latest.level)) filter (where counted.counts)
                   over (partition by latest.source, latest.case_no, latest.clock, latest.clock_key) as is_highest
        from (
            select distinct on (source, case_no, clock, clock_key, level) *
            from v_card_event
            where business_on <= night
            order by source, case_no, clock, clock_key, level, business_on desc, seq desc
        ) latest
        join (
            select source, case_no, clock, clock_key, level, min(business_on) as business_on, min(known_at) as known_at
            from v_card_event
            where event = 'issued' and business_on <= night
            group by source, case_no, clock, clock_key, level
        ) first_event using (source, case_no, clock, clock_key, level)
        left join (
            select distinct on (source, case_no, clock, clock_key, level)
                   source, case_no, clock, clock_key, level, decision, business_on as decided_on, decided_at,
                   min(business_on) filter (where decision = 'issue')
                       over (partition by source, case_no, clock, clock_key, level) as issued_on
            from card_decision
            where business_on <= night
            order by source, case_no, clock, clock_key, level, seq desc
        ) decided using (source, case_no, clock, clock_key, level)
        cross join lateral (
            select latest.standing and decided.decision is distinct from 'revoke'
                   and not (latest.is_manual and decided.decision is null) as counts
        ) counted
    ) held
$$;

-- The name an office goes by; a code without a department row is shown as itself.
create or replace function department_name(code text, night date) returns text language sql stable as $$
    select coalesce(
        (select d.name from department d where d.code = $1 and d.valid_from <= night order by d.valid_from desc limit 1),
        $1
    )
$$;
