select seq, hash from card_event order by seq desc limit 1
