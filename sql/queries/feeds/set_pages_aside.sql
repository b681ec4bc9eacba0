-- Pages of nights up to the given one that nobody could admit are given up; delivered again, they wait again. Their
-- nights are not held any more to how many rows the source had declared.
with given_up as (
    update landed_page
    set is_set_aside = true
    where source = :source and business_on <= :business_on and admitted_at is null and not is_set_aside
    returning page_id, business_on, stream, path
),
explained as (
    update feed
    set declared_rows = null
    where source = :source and business_on in (select business_on from given_up)
),
noted as (
    insert into page_set_aside (page_id, actor, reason) select page_id, :actor, :reason from given_up
)
select business_on, stream, path from given_up order by page_id
