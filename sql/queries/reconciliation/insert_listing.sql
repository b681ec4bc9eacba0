insert into case_listing (source, business_on, listed_cases)
select :source, :business_on, count(distinct case_no) from listed
