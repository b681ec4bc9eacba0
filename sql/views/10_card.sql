-- Card events that count: neither void nor voided.
create or replace view v_card_event as
select e.*
from card_event e
where e.event <> 'void'
  and not exists (select from card_event v where v.voids_seq = e.seq);

-- Both kinds of link of the evidence chain.
create or replace view v_chain as
select seq, prev_hash, hash from card_event
union all
select seq, prev_hash, hash from card_decision;

-- Where a card stands: what people decided last, unless the judge holds it no longer. A higher standing card of the same
-- clock supersedes only what nobody has spoken on.
create or replace function card_state(standing boolean, is_manual boolean, decision text, is_below boolean)
returns text language sql immutable as $$
    select case
        when decision = 'revoke' then 'revoked'
        when not standing then 'withdrawn'
        when decision = 'appeal' then 'appealed'
        when decision = 'uphold' then 'upheld'
        when decision = 'escalate' then 'escalated'
        when decision = 'close' then 'closed'
        when is_manual and decision is null then 'pending'
        when is_below then 'superseded'
        else 'issued'
    end
$$;

-- What a person may decide about a card in this state. Appeals are decided; so is a card that is to be verified.
create or replace function decisions_open(state text, nature text) returns text[] language sql immutable as $$
    select case state
        when 'pending' then array['issue']
        when 'issued' then case when nature = 'suspect' then array['appeal', 'uphold', 'revoke', 'escalate']
                                else array['appeal', 'close'] end
        when 'appealed' then array['uphold', 'revoke', 'escalate']
        when 'escalated' then array['uphold', 'revoke']
        when 'upheld' then array['close']
        else array[]::text[]
    end
$$;

-- Whether the department owes feedback on a card: on a yellow or red one, whenever accepting its feedback is open.
create or replace function owes_feedback(state text, nature text, level text, is_baseline boolean)
returns boolean language sql immutable as $$
    select level in ('yellow', 'red') and not is_baseline and 'close' = any (decisions_open(state, nature))
$$;

-- What card_on and v_card have columns for; nothing is in it.
create or replace view v_card_row as
select e.*, null::date as raised_on, null::timestamptz as raised_at, null::date as issued_on, null::text as decision,
       null::date as decided_on, null::timestamptz as decided_at, null::boolean as counts, null::boolean as is_highest,
       null::text as state
from v_card_event e
where false;

-- A card is its latest counting event, by night and not by the order of appending, and the last decision about it: as of
-- the end of one night, with what people had decided by then.
create or replace function card_on(night date) returns setof v_card_row language sql stable as $$
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

-- Cards with everything known.
create or replace view v_card as
select * from card_on('infinity');
