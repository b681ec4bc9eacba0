-- One row per told card event, with what was known of its case when it was judged. A case is its number: of two
-- sources that report it the card's own wins.
with told as (
    select i.item_key, i.mail_kind, i.payload as told_payload, d.decision, d.reason as decision_reason, e.*
    from notice_item i
    join card_event e on e.seq = i.card_event_seq
    left join card_decision d on d.seq = i.decision_seq
    where i.item_key = any(:item_keys)
),
known as (
    select distinct on (t.item_key, m.kind, m.seq) t.item_key, m.kind, m.seq, m.occurred_at, m.department, m.payload
    from told t
    join message m on m.case_no = t.case_no and m.known_at <= t.known_at
    order by t.item_key, m.kind, m.seq, m.source = t.source desc, m.source, m.version desc
),
facts as (
    select item_key,
           min(payload ->> 'applicant') filter (where kind = 'apply') as applicant,
           min(occurred_at) filter (where kind = 'accept' and coalesce(payload ->> 'outcome', 'passed') = 'passed')
               as accepted_at,
           min((payload ->> 'promised_limit')::numeric) filter (where kind = 'accept') as promised_limit,
           min((payload ->> 'statutory_limit')::numeric) filter (where kind = 'accept') as statutory_limit,
           min(payload ->> 'limit_unit') filter (where kind = 'accept') as limit_unit,
           min((payload ->> 'promised_due_at')::timestamptz) filter (where kind = 'accept') as promised_due_at,
           min(occurred_at) filter (where kind = 'finish') as finished_at,
           (array_agg(department order by occurred_at desc, seq desc)
               filter (where kind in ('accept', 'stage') and department is not null))[1] as office,
           (array_agg(payload ->> 'name' order by occurred_at desc, seq desc) filter (where kind = 'stage'))[1]
               as stage_name,
           (array_agg(payload ->> 'handler' order by occurred_at desc, seq desc) filter (where kind = 'stage'))[1]
               as stage_handler
    from known
    group by item_key
),
slowest_push as (
    select distinct on (t.item_key) t.item_key, p.hop, p.lag_working_days
    from told t
    join push_finding p using (source, case_no)
    where p.business_on <= t.business_on and p.level is not null
    order by t.item_key, p.lag_working_days desc, p.hop
),
promised_boundary as (
    select distinct on (t.item_key) t.item_key, e.reached_at
    from told t
    join v_card_event e using (source, case_no, clock, clock_key)
    where e.level = 'yellow'
    order by t.item_key, e.business_on desc, e.seq desc
)
select t.item_key, t.mail_kind, t.told_payload, t.decision, t.decision_reason, t.seq, t.source, t.case_no, t.clock, t.clock_key, t.level, t.business_on, t.event, t.nature,
       t.standing, t.provisional, t.used_days, t.limit_days, t.excluded_days, t.base, t.item_name, t.responsible_hop,
       t.profile_version, t.calendar_version,
       department_name(coalesce(f.office, t.department), t.business_on) as office,
       f.applicant, f.accepted_at, f.promised_limit, f.statutory_limit, f.limit_unit, f.finished_at,
       f.stage_name, f.stage_handler, p.hop as push_hop, p.lag_working_days as push_days,
       coalesce(
           t.due_at, f.promised_due_at, b.reached_at, case when t.level <> 'reminder' then t.reached_at end
       ) as due_at
from told t
left join facts f using (item_key)
left join slowest_push p using (item_key)
left join promised_boundary b using (item_key)
order by level_rank(t.level) desc, t.used_days - t.limit_days desc, t.case_no, t.seq;
