"""The training step and all it needs. Nothing in here knows ComfyUI."""
