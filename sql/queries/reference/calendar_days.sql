select calendar, on_date, kind, name, notice, known_from from calendar_day order by 1, 2, 6
