"""How steadily the frames of a video are painted."""
