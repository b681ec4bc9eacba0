select min(covers_until) from watermark where source = :source
