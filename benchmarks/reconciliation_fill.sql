-- $1 records of each of two sources, told within 100 days, five kinds a case; one in 50 told twice. Of a thousand, one is
-- missing downstream, one says something else there and one is extra there; a last night brings one in 100 of them.
insert into message (source, case_no, kind, seq, version, occurred_at, written_at, received_at, loaded_at, known_at,
                     known_basis, department, item_code, item_name, payload, content_sha256)
select source, case_no, kind, 0, version, happened, happened + interval '2 minutes', happened + interval '5 minutes',
       known, known, 'night', '11510000MB19851022', '000172001000-51', '药品经营许可证核发', payload, repeat('0', 64)
from generate_series(1, %(records)s) n
cross join lateral (
    select '5100000420' || lpad((n / 5)::text, 12, '0') as case_no,
           (array['accept', 'finish', 'apply', 'collect', 'certificate'])[n %% 5 + 1] as kind,
           timestamptz '2026-08-01 09:00+08' + (n / 5) %% 100 * interval '1 day' + n %% 30000 * interval '1 second' as happened
) record
cross join (values ('up'), ('down')) s (source)
cross join lateral generate_series(1, 1 + (n %% 50 = 7)::int) version
cross join lateral (
    select case when n %% 100 = 3 then timestamptz '2026-11-23 01:00+08'
                else date_trunc('day', happened at time zone 'Asia/Shanghai') at time zone 'Asia/Shanghai' + interval '25 hours'
           end as known,
           jsonb_build_object(
               'outcome', case when source = 'down' and n %% 1000 = 500 then 'refused' else 'granted' end,
               'promised_limit', n %% 20 + version, 'statutory_limit', 45, 'limit_unit', 'working_day',
               'case_type', 'promised', 'channel', 'window', 'certificate_no', 'C' || n
           ) as payload
) said
where case source when 'down' then n %% 1000 <> 250 else n %% 1000 <> 750 end
