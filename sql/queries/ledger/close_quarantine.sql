update quarantine set state = 'replayed'
where source = :source and stream = :stream and row_sha256 = any (:row_sha256s) and state = 'open'
