select seq, hash from v_chain order by seq desc limit 1
