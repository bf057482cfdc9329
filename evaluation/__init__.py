"""Numbers about a network: distances, losses, similarity, diversity."""
