"""Training: pictures, loss network, losses, trainer. Nothing in here knows ComfyUI."""
