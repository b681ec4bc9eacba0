insert into quality_result (source, business_on, suite, rule, title, severity, checked_rows, failed_rows)
values (:source, :business_on, :suite, :rule, :title, :severity, :checked_rows, :failed_rows)
on conflict (source, business_on, suite, rule) do update
set title = excluded.title, severity = excluded.severity,
    checked_rows = excluded.checked_rows, failed_rows = excluded.failed_rows
