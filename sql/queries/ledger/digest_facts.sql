-- What the sources said, whenever it arrived: messages without knowledge time.
select (to_jsonb(t) - array['message_id', 'page_id', 'inserted_at', 'loaded_at', 'known_at', 'known_basis'])::text
       collate "C" as line
from message t
order by 1
