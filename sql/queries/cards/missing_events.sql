-- What was told or printed rests on links of the chain. One that is no longer there was cut off the chain's end or made
-- anew, which the remaining hashes cannot show.
select 'notice item ' || item_key as witness
from notice_item
where (card_event_seq is not null and not exists (select from card_event where seq = card_event_seq))
   or (decision_seq is not null and not exists (select from card_decision where seq = decision_seq))
union all
select 'mail ' || notice_key
from notice
where head_hash <> :genesis and not exists (select from v_chain where hash = head_hash)
union all
select 'bulletin ' || week
from bulletin
where head_hash <> :genesis and not exists (select from v_chain where hash = head_hash)
order by 1
limit 1
