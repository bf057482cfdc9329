"""A training run on disk: files, recipe, record, plan, sheets, logs."""
