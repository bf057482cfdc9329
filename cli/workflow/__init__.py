"""Workflow files, and running them without ComfyUI."""
