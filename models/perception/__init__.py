"""Frozen networks that look at pictures, and the statistics of what they see."""
