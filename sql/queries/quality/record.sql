insert into quality_result (source, business_on, suite, rule, title, basis, severity, checked_rows, failed_rows, samples)
values (:source, :business_on, :suite, :rule, :title, :basis, :severity, :checked_rows, :failed_rows, :samples)
on conflict (source, business_on, suite, rule) do update
set title = excluded.title, basis = excluded.basis, severity = excluded.severity,
    checked_rows = excluded.checked_rows, failed_rows = excluded.failed_rows, samples = excluded.samples
