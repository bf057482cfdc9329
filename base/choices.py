"""What painting lets one choose: choices, ranges and defaults, which are named before PyTorch is loaded."""

from __future__ import annotations

PRESERVE_COLOR = ("off", "luminance", "histogram")
"""Whose colours a painting has: the style's, or the photo's in one of two ways."""

STROKE_SIZES = (0.25, 4.0)
"""Strokes may be this many times as large as the network's own."""

STROKES = ("pixels", "proportion")
"""What a stroke size is measured by: the network's strokes in pixels, or the picture."""

STATISTICS = ("clip", "window", "frame")
"""The frames whose brightness and contrast normalise a frame: all, those near it, or only itself."""

WINDOW = 25
"""How many frames the window of statistics spans."""

FOLLOW = 0.9
"""How much of the frame before each frame of a video keeps."""

PSI = 0.8
"""How far random styles are from typical ones."""
