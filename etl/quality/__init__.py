"""Data quality: runs the expectations over canonical messages and returns plain findings."""
