"""The only modules that import ComfyUI."""
