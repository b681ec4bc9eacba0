drop table found
