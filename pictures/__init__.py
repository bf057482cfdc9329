"""Pictures as pixels: reading, tensors, colour, lettering, charts, sheets."""
