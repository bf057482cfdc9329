"""The node *Paint Video*."""
