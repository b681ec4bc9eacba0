-- Pages of nights up to the given one that nobody could admit are given up; delivered again, they wait again.
with given_up as (
    update landed_page
    set is_set_aside = true
    where source = :source and business_on <= :business_on and admitted_at is null and not is_set_aside
    returning page_id, business_on, stream, path
),
noted as (
    insert into page_set_aside (page_id, actor, reason) select page_id, :actor, :reason from given_up
)
select business_on, stream, path from given_up order by page_id
