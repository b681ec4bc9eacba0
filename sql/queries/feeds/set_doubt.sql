update feed
set state = :state, detail = :detail, updated_at = now()
where source = :source and business_on = :business_on and state in ('low', 'silent') and state <> :state
