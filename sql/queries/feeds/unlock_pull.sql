select pg_advisory_unlock(hashtext('jiancha.pull'), hashtext(:source))
