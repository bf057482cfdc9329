"""The node *Train Style*."""
