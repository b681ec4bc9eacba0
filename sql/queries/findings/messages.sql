-- Everything the rules read of cases that are open or changed; $1 sources, $2 known_by, $3 leave out cases that were over
-- by then and about which nothing came since (null: none), but for $4. A finished case stays open while a special procedure
-- has no result, and for sixty days (more than any ten working days) while nothing shows that the decision was delivered.
select source, case_no, kind, seq, version, occurred_at, written_at, received_at, loaded_at, known_at,
       department, region, item_code, item_name,
       payload ->> 'channel' as channel,
       payload ->> 'outcome' as outcome,
       payload ->> 'reason' as reason,
       (payload ->> 'promised_limit')::float8 as promised_limit,
       (payload ->> 'statutory_limit')::float8 as statutory_limit,
       payload ->> 'limit_unit' as limit_unit,
       (payload ->> 'promised_due_at')::timestamptz as promised_due_at,
       payload ->> 'case_type' as case_type,
       (payload ->> 'joint')::boolean as joint,
       case when jsonb_typeof(payload -> 'stage_plan') = 'array'
            then array(select jsonb_array_elements_text(payload -> 'stage_plan')) end as stage_plan,
       payload ->> 'name' as name,
       (payload ->> 'began_at')::timestamptz as began_at,
       (payload ->> 'limit')::float8 as limit,
       payload ->> 'handler' as handler,
       (payload ->> 'fee')::float8 as fee,
       payload ->> 'fee_basis' as fee_basis,
       payload ->> 'special_kind' as special_kind,
       (payload ->> 'approved_days')::float8 as approved_days,
       payload ->> 'approver' as approver
from message
-- Joined, not looked up: of a list that outgrows the server's memory for hashes each message would read it all.
join (
    select m.case_no
    from message m
    where m.source = any ($1) and m.known_at <= $2
    group by m.case_no
    having $3::timestamptz is null
        or m.case_no = any ($4::text[])
        or max(greatest(m.known_at, m.occurred_at)) > $3
        or bool_and(m.kind <> 'finish')
        or not coalesce(array_agg(m.seq) filter (where m.kind = 'special_start'), '{}')
               <@ coalesce(array_agg(m.seq) filter (where m.kind = 'special_result'), '{}')
        -- A result at the very moment of its start is none yet.
        or array_agg(m.seq || ' ' || m.occurred_at) filter (where m.kind = 'special_start')
           && array_agg(m.seq || ' ' || m.occurred_at) filter (where m.kind = 'special_result')
        or (bool_and(m.kind not in ('collect', 'certificate'))
            and max(m.occurred_at) filter (where m.kind = 'finish') > $3::timestamptz - interval '60 days')
) asked using (case_no)
where source = any ($1) and known_at <= $2
order by case_no collate "C"
