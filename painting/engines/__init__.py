"""Engines that paint many files with many processes, on one machine or on many."""
