"""What every room stands on, without torch: files, shipped paths, settings."""
