copy staged from stdin with (format binary)
