"""Blind comparisons by eye: sheets, answers, a tally."""
