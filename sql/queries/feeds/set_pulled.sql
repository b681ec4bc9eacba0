-- A new attempt starts the night's verdict again; counts are filled in by admission. A night already complete stays so:
-- pulled once more, another run may be judging it at this moment. An attempt that fails takes back neither that nor what
-- another one has pulled to the end.
insert into feed (source, business_on, state, known_basis, declared_rows, detail)
values (:source, :business_on, :state, :known_basis, :declared_rows, :detail)
on conflict (source, business_on) do update
set state = case when feed.state = 'complete' then 'complete' else excluded.state end,
    declared_rows = excluded.declared_rows, detail = excluded.detail, updated_at = now()
where feed.state not in ('pulled', 'complete') or excluded.state = 'pulled'
