copy staged from stdin with (format csv)
