drop table if exists bench_day, bench_case, bench_span;
create unlogged table bench_day (day int primary key, number int not null, is_working int not null);
create unlogged table bench_case (case_id int primary key, start_day int, stop_day int, promised int, statutory int);
create unlogged table bench_span (case_id int, begin_day int, end_day int, approved int, is_open int);
