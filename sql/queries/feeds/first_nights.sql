select source, first_on from watermark
