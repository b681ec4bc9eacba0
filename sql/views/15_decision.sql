-- A decision must be open to the card as it stands, not earlier than what it follows, and the next link of the chain.
create or replace function refuse_illegal_decision() returns trigger language plpgsql as $$
declare
    named text := format('card %s %s/%s of case %s (%s)', new.level, new.clock, new.clock_key, new.case_no, new.source);
    card v_card;
    head v_chain;
begin
    perform pg_advisory_xact_lock(hashtext('jiancha.card_event'));
    select * into card from v_card
    where (source, case_no, clock, clock_key, level) = (new.source, new.case_no, new.clock, new.clock_key, new.level);
    if card.seq is null then
        raise exception '% does not exist: % refused', named, new.decision using errcode = 'check_violation';
    end if;
    if not new.decision = any (decisions_open(card.state, card.nature)) then
        raise exception '% is %: % refused; open to a decision: %', named, card.state, new.decision,
            coalesce(nullif(array_to_string(decisions_open(card.state, card.nature), ', '), ''), 'none')
            using errcode = 'check_violation';
    end if;
    if new.decided_at < greatest(card.raised_at, card.decided_at) then
        raise exception '%: % dated %, before what it follows (%)', named, new.decision, new.decided_at,
            greatest(card.raised_at, card.decided_at) using errcode = 'check_violation';
    end if;
    if (new.decided_at at time zone 'Asia/Shanghai')::date - new.business_on not in (0, 1) then
        raise exception '%: night % is not the one that closes after %', named, new.business_on, new.decided_at
            using errcode = 'check_violation';
    end if;
    select * into head from v_chain order by seq desc limit 1;
    if new.seq <> head.seq + 1 or new.prev_hash <> head.hash then
        raise exception '%: % is not the next link of the evidence chain after event %', named, new.decision, head.seq
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create or replace trigger legal_decision before insert on card_decision
    for each row execute function refuse_illegal_decision();
