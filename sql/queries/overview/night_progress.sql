-- How far a night has come: judged, its lags measured since, its summary claimed or nobody to be told, mails not sent yet.
select n.business_on is not null as is_judged,
       n.traced_fingerprint is not distinct from n.fingerprint as is_traced,
       exists (
           select
           from notice_item i
           where i.mail_kind = 'B' and i.business_on = asked.business_on
             and (i.is_muted or exists (select from notice_claim c where c.item_key = i.item_key))
       ) as is_told,
       (select count(*) from notice m where m.business_on = asked.business_on and m.state in ('ready', 'dot')) as waiting
from (values (cast(:business_on as date))) as asked (business_on)
left join night n on n.business_on = asked.business_on
