"""The node *Refine Painting*."""
