select region, valid_from, valid_until, season_from, spans, known_from from office_hours order by 1, 2, 4, 6
