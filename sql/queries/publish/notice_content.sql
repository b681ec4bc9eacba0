select notice_key, business_on, recipient, content from notice where notice_key = :notice_key and state = 'ready';
