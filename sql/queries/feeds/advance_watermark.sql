insert into watermark (source, stream, covers_until)
values (:source, :stream, :covers_until)
on conflict (source, stream) do update set covers_until = greatest(watermark.covers_until, excluded.covers_until)
