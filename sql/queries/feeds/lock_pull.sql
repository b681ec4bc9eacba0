select pg_advisory_lock(hashtext('jiancha.pull'), hashtext(:source))
