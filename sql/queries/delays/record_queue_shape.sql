insert into queue_shape (business_on, source, hop, class, record_count, began_at, ended_at, detail, evidence)
values (:business_on, :source, :hop, :class, :record_count, :began_at, :ended_at, :detail, :evidence)
