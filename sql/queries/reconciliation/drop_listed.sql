drop table listed
