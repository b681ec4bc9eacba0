-- A night that is judged and was never pulled is late; before its first load a source has no verdict.
insert into feed (source, business_on, state, known_basis, detail)
select source, :business_on, 'late', 'night', :detail
from watermark
where source = any (:sources) and first_on < :business_on
on conflict (source, business_on) do nothing
