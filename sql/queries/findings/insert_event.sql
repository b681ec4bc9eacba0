insert into finding_event (rule, record, detail, business_on, event, source, case_no, item_code, item_name, department,
    occurred_at, evidence, is_baseline)
values (:rule, :record, :detail, :business_on, :event, :source, :case_no, :item_code, :item_name, :department,
    :occurred_at, :evidence, :is_baseline)
