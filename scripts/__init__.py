"""Scripts that make what ships. They are not part of the wheel."""
