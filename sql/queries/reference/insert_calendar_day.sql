insert into calendar_day (calendar, on_date, kind, name, notice, known_from)
values (:calendar, :on_date, :kind, :name, :notice, :known_from)
on conflict (calendar, on_date, known_from) do nothing
