-- Differences between two sources by one night's knowledge, one row each. A difference counts from the first night, of
-- those on which both sides were complete, whose cut-off it outlasted its grace (`due_at`) by; cleared before, it was
-- none. Nothing of this is stored: it is what the nights' events say.
create or replace function difference_on(night date) returns table (
    upstream text, downstream text, case_no text, kind text, seq int, class text, hop text,
    opened_on date, closed_on date, due_at timestamptz, fields text[], evidence text[]
) language sql stable as $$
    select o.upstream, o.downstream, o.case_no, o.kind, o.seq, o.class, o.hop,
           seen.opened_on, gone.closed_on, o.due_at, o.fields,
           array_remove(array[
               concat_ws('/', o.upstream, o.case_no, o.kind, o.seq, 'v' || o.upstream_version),
               concat_ws('/', o.downstream, o.case_no, o.kind, o.seq, 'v' || o.downstream_version)
           ], case o.class
                  when 'missing' then concat_ws('/', o.downstream, o.case_no, o.kind, o.seq)
                  when 'extra' then concat_ws('/', o.upstream, o.case_no, o.kind, o.seq)
              end)
    from difference_event o
    cross join lateral (
        select min(c.business_on) as closed_on
        from difference_event c
        where (c.upstream, c.downstream, c.case_no, c.kind, c.seq, c.class)
              = (o.upstream, o.downstream, o.case_no, o.kind, o.seq, o.class)
          and c.event = 'cleared' and c.business_on > o.business_on and c.business_on <= night
    ) gone
    cross join lateral (
        select min(n.business_on) as opened_on
        from reconciled_night n
        where (n.upstream, n.downstream) = (o.upstream, o.downstream)
          and n.compared_on = n.business_on and n.cutoff_at >= o.due_at
          and n.business_on between o.business_on and night
    ) seen
    where o.event = 'opened' and o.business_on <= night
      and (seen.opened_on < gone.closed_on or (seen.opened_on is not null and gone.closed_on is null))
$$;
create or replace view v_difference as select * from difference_on('infinity');

-- Cases a source no longer lists: two full listings of different nights lacked them; closed when they were listed again.
create or replace view v_deleted_case as
select d.source, d.case_no, first.absent_on, d.business_on as opened_on, back.closed_on
from case_absence d
cross join lateral (
    select max(business_on) as absent_on
    from case_absence
    where (source, case_no, event) = (d.source, d.case_no, 'absent') and business_on < d.business_on
) first
cross join lateral (
    select min(business_on) as closed_on
    from case_absence
    where (source, case_no, event) = (d.source, d.case_no, 'returned') and business_on > d.business_on
) back
where d.event = 'deleted';
