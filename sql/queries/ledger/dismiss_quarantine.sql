update quarantine set state = 'dismissed', settled_at = :known_at
where source = :source and case_no = :case_no and state = 'open'
