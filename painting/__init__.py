"""Turns photos into paintings of any size: refines a picture by optimisation on the loss network."""
