-- The last night before this one that was told, or whose muted summary says that it was told to nobody, for good.
create or replace function night_told_before(night date) returns date language sql stable as $$
    select coalesce(max(b.business_on), '-infinity')
    from notice_item b
    where b.mail_kind = 'B' and b.business_on < night
      and (b.is_muted or exists (select from notice_claim c where c.item_key = b.item_key))
$$;

-- Incidents as the verdicts have them: nights not complete that have the same next complete night, or none yet.
create or replace view v_feed_incident as
select distinct on (source, closed_on) source, business_on as opened_on, state, detail, closed_on
from (
    select f.*, (
        select min(c.business_on)
        from feed c
        where c.source = f.source and c.state = 'complete' and c.business_on > f.business_on
    ) as closed_on
    from feed f
    where f.state <> 'complete'
) incomplete
order by source, closed_on, business_on;

-- The name an office goes by; a code without a department row is shown as itself.
create or replace function department_name(code text, night date) returns text language sql stable as $$
    select coalesce(
        (select d.name from department d where d.code = $1 and d.valid_from <= night order by d.valid_from desc limit 1),
        $1
    )
$$;
