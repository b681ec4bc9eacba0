create temporary table listed (case_no text) on commit drop
