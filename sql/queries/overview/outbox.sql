select state, mail_kind, count(*) as notices from notice group by state, mail_kind order by state, mail_kind
