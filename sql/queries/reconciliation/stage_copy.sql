copy found from stdin with (format binary)
