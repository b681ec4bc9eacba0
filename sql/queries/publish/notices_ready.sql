select notice_key from notice where state = 'ready' order by business_on, notice_key;
