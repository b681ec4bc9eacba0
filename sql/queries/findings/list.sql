-- Findings, newest first; null asks for everything, is_cleared null for open and cleared alike.
select rule, title, basis, about, source, case_no, item_code, item_name, department,
       department_name(department, opened_on) as department_name, detail, occurred_at, evidence, opened_on, cleared_on,
       is_baseline, case_count
from v_finding
where (cast(:rule as text) is null or rule = :rule)
  and (cast(:department as text) is null or :department in (department, department_name(department, opened_on)))
  and (cast(:is_cleared as boolean) is null or (cleared_on is not null) = :is_cleared)
order by opened_on desc, rule, case_no nulls first, item_code, detail
