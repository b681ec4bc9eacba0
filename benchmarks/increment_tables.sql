-- A front-end exchange database as departments write it: the ten tables of the exchange set, two of them filled with
-- :cases acceptances and as many decisions of one day. Local times without a zone, the key the set prescribes.
create table ex_sb (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    sbsj timestamp, sqrmc text, sqfs text, primary key (rksj, sblsh, sjbbh));
create table ex_ysl (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    yslsj timestamp, ysljg text, bslyy text, primary key (rksj, sblsh, sjbbh));
create table ex_sl (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    slsj timestamp, sljg text, bslyy text, cnsx int, gdblsx int, gdblsxdw text, bjlx text, sqfs text, zzsf text,
    lbsf text, sphjs text, primary key (rksj, sblsh, sjbbh));
create table ex_sp (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    spxh int, sphjdm text, kssj timestamp, spsj timestamp, hjsx int, spr text, spyj text, sbgsj timestamp,
    primary key (rksj, sblsh, spxh, sjbbh));
create table ex_bj (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    bjsj timestamp, bjjgdm text, bjjgms text, sfje numeric, sfyj text, zzbh text, primary key (rksj, sblsh, sjbbh));
create table ex_tbcxsq (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    tbcxxh int, tbcxzl text, tbcxksrq timestamp, tbcxsx int, tbcxpzr text, tbcxsqly text,
    primary key (rksj, sblsh, tbcxxh, sjbbh));
create table ex_tbcxjg (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    tbcxxh int, tbcxjsrq timestamp, tbcxjg text, primary key (rksj, sblsh, tbcxxh, sjbbh));
create table ex_bzgz (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    bzxh int, bzgzsj timestamp, bzclqd text, primary key (rksj, sblsh, bzxh, sjbbh));
create table ex_bzsl (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    bzxh int, bzsj timestamp, primary key (rksj, sblsh, bzxh, sjbbh));
create table ex_lq (sblsh text, sjbbh int, sxbm text, sxmc text, xtsj timestamp, rksj timestamp not null,
    lqsj timestamp, lqfs text, primary key (rksj, sblsh, sjbbh));

insert into ex_sl
select 'B' || lpad(n::text, 19, '0'), 1, lpad((n % 400)::text, 31, '1'), '建设用地规划许可证核发', at + interval '1 minute',
       at + interval '20 minutes', at, '1', null, 7, 20, 'G', '2', '1', '0', '0', null
from generate_series(1, :cases) n,
     lateral (select timestamp '2026-11-20 09:00' + n % 10800 * interval '1 second') moment (at);
insert into ex_bj
select 'B' || lpad(n::text, 19, '0'), 1, lpad((n % 400)::text, 31, '1'), '建设用地规划许可证核发', at + interval '1 minute',
       at + interval '20 minutes', at, '0', null, null, null, null
from generate_series(1, :cases) n,
     lateral (select timestamp '2026-11-20 13:30' + n % 14400 * interval '1 second') moment (at);
analyze;
