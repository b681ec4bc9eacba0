-- What judging needs of every message known by a moment, case by case; $1 sources (null: all), $2 known_by, $3 kinds,
-- $4 case (null: all), $5 leave out cases that were over by then and about which nothing came since (null: none), but for
-- $6. A finished case is not over while a special procedure has no result, and for sixty days (more than a certificate's limit)
-- while a certificate is due.
select source, case_no, kind, seq, version, occurred_at, written_at, received_at, loaded_at, known_at,
       department, region, item_code, item_name,
       payload ->> 'outcome' as outcome,
       (payload ->> 'promised_limit')::float8 as promised_limit,
       (payload ->> 'statutory_limit')::float8 as statutory_limit,
       payload ->> 'limit_unit' as limit_unit,
       (payload ->> 'promised_due_at')::timestamptz as promised_due_at,
       payload ->> 'case_type' as case_type,
       payload ->> 'channel' as channel,
       (payload ->> 'certificate_required')::boolean as certificate_required,
       (payload ->> 'joint')::boolean as joint,
       (payload ->> 'began_at')::timestamptz as began_at,
       (payload ->> 'limit')::float8 as limit,
       payload ->> 'inquiry_kind' as inquiry_kind,
       payload ->> 'special_kind' as special_kind,
       (payload ->> 'approved_days')::float8 as approved_days,
       payload ->> 'approver' as approver
from message
-- Joined, not looked up: of a list that outgrows the server's memory for hashes each message would read it all.
join (
    select m.case_no
    from message m
    where ($1::text[] is null or m.source = any ($1)) and m.known_at <= $2 and ($4::text is null or m.case_no = $4)
    group by m.case_no
    having $5::timestamptz is null
        or m.case_no = any ($6::text[])
        or max(greatest(m.known_at, m.occurred_at)) > $5
        or bool_and(m.kind <> 'finish')
        or not coalesce(array_agg(m.seq) filter (where m.kind = 'special_start'), '{}')
               <@ coalesce(array_agg(m.seq) filter (where m.kind = 'special_result'), '{}')
        -- A result at the very moment of its start is none yet.
        or array_agg(m.seq || ' ' || m.occurred_at) filter (where m.kind = 'special_start')
           && array_agg(m.seq || ' ' || m.occurred_at) filter (where m.kind = 'special_result')
        or (bool_and(m.kind <> 'certificate')
            and max(m.occurred_at) filter (where m.kind = 'finish') > $5::timestamptz - interval '60 days'
            and exists (
                select
                from message a
                where a.case_no = m.case_no and a.kind = 'accept' and (a.payload ->> 'certificate_required')::boolean
            ))
) asked using (case_no)
where ($1::text[] is null or source = any ($1)) and known_at <= $2 and kind = any ($3)
order by case_no collate "C"
