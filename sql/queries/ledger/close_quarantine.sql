update quarantine set state = 'replayed', settled_at = :known_at
where source = :source and stream = :stream and row_sha256 = any (:row_sha256s) and state = 'open'
