copy listed from stdin with (format binary)
