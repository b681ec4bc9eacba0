insert into link_lag (business_on, source, hop, department, kind, message_count, late_count, negative_count,
                      p50_seconds, p95_seconds, max_seconds, p50_working_days, p95_working_days, max_working_days)
values (:business_on, :source, :hop, :department, :kind, :message_count, :late_count, :negative_count,
        :p50_seconds, :p95_seconds, :max_seconds, :p50_working_days, :p95_working_days, :max_working_days)
