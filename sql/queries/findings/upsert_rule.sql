insert into finding_rule (rule, title, basis, about)
values (:rule, :title, :basis, :about)
on conflict (rule) do update set title = excluded.title, basis = excluded.basis, about = excluded.about
where (finding_rule.title, finding_rule.basis, finding_rule.about) <> (excluded.title, excluded.basis, excluded.about)
