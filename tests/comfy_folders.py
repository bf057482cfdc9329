"""ComfyUI's folders, in a place of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from brushwork.nodes.bridge import api


def use_folders(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Make input, output, models and styles in `root`, and let ComfyUI use them."""
    for name in ("input", "output", "models", "styles"):
        (root / name).mkdir()
        if name in ("models", "styles"):
            folder = "brushwork" if name == "models" else "brushwork_styles"
            known = api.folder_paths.folder_names_and_paths
            patch.setitem(known, folder, ([str(root / name)], {".safetensors"}))
        else:
            patch.setattr(api.folder_paths, f"get_{name}_directory", lambda name=name: str(root / name))
