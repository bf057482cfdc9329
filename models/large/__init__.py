"""Pictures too large for whole feature maps: the networks strip by strip, their maps outside the device."""
