"""Films: read, cut into shots, painted steadily, and written with their sound."""
