insert into night (business_on, fingerprint, cases)
values (:business_on, :fingerprint, :cases)
on conflict (business_on) do update
set fingerprint = excluded.fingerprint, judged_at = now(), cases = excluded.cases
