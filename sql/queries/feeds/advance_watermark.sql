insert into watermark (source, stream, covers_until, first_on)
values (:source, :stream, :covers_until, :business_on)
on conflict (source, stream) do update set covers_until = greatest(watermark.covers_until, excluded.covers_until)
