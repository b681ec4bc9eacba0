update landed_page
set admitted_at = now(), known_at = :known_at, rows_total = :total, rows_accepted = :accepted,
    rows_repeated = :repeated, rows_quarantined = :quarantined
where page_id = :page_id and admitted_at is null
