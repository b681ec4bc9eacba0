"""Card rules, one module per clock."""
