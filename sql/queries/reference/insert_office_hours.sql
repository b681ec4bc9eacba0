insert into office_hours (region, valid_from, valid_until, season_from, spans, known_from)
values (:region, :valid_from, :valid_until, :season_from, :spans, :known_from)
on conflict (region, valid_from, season_from, known_from) do nothing
