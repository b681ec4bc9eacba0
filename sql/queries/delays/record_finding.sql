insert into push_finding (source, case_no, kind, seq, version, hop, business_on, lag_seconds, lag_working_days, level, department)
values (:source, :case_no, :kind, :seq, :version, :hop, :business_on, :lag_seconds, :lag_working_days, :level, :department)
on conflict (source, case_no, kind, seq, version, hop) do nothing
