"""Folders of pictures before training: what is in them, and who validates."""
