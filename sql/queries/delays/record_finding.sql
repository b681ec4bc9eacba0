insert into push_finding (source, case_no, kind, seq, version, hop, class, business_on, department, set_out_at, due_at, reached_at,
                          lag_seconds, lag_working_days, level, standstill_from, standstill_until)
values (:source, :case_no, :kind, :seq, :version, :hop, :class, :business_on, :department, :set_out_at, :due_at, :reached_at, :lag_seconds, :lag_working_days, :level, :standstill_from, :standstill_until)
on conflict do nothing
