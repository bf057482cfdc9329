"""Photos into paintings at any size: refining a picture by optimisation on the loss network."""
