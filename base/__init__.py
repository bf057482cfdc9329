"""What every package builds on, without torch: files, locks, shipped paths, settings."""
