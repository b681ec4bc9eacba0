"""Slow and obvious second implementations of the rules; they share no code with `etl`."""
