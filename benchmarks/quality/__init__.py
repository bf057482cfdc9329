"""How good the pictures are, beside those of peers."""
