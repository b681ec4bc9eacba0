-- Cards as they stand, red first; null asks for everything. A department is asked for by code or by name.
select c.source, c.case_no, c.clock, c.clock_key, c.level, c.state, c.nature, c.standing, c.is_highest, c.is_baseline,
       c.provisional, c.reached_at, c.raised_on, c.issued_on, c.decided_at, c.used_days::float8, c.limit_days::float8,
       c.department, department_name(c.department, c.business_on) as department_name, c.item_code, c.item_name,
       c.responsible_hop, decisions_open(c.state, c.nature) as open_to,
       owes_feedback(c.state, c.nature, c.level, c.is_baseline)
from v_card c
where (cast(:case_no as text) is null or c.case_no = :case_no)
  and (cast(:state as text) is null or c.state = :state)
  and (cast(:level as text) is null or c.level = :level)
  and (cast(:nature as text) is null or c.nature = :nature)
  and (cast(:department as text) is null
       or :department in (c.department, department_name(c.department, c.business_on)))
order by level_rank(c.level) desc, c.raised_on, c.case_no, c.clock, c.clock_key, c.source
