"""Painting the frames of a video steadily."""
