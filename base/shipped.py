"""Where the files that ship with Brushwork are: weights, workflows, and the pictures that workflows read."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

WEIGHTS_DIR = _ROOT / "weights"
DEFAULT_CHECKPOINT = WEIGHTS_DIR / "brushwork_default.safetensors"
STYLES_DIR = WEIGHTS_DIR / "styles"
VGG_WEIGHTS = WEIGHTS_DIR / "vgg19_features.safetensors"

# Names of the library's styles have no ending and those of a user's files have one, so they never clash.
LIBRARY_PREFIX = "library/"

WORKFLOWS_DIR = _ROOT / "workflows"
SHIPPED_INPUTS = WORKFLOWS_DIR / "inputs"

# Sky, rock and water: a plain, a broken and a mirroring surface. A style treats each in another way.
THUMBNAIL_PHOTO = SHIPPED_INPUTS / "photo-landscape-lake-sherburne.jpg"


def library_styles() -> dict[str, Path]:
    """The style files that ship, by the names that Load Style lists, such as 'library/klimt-kiss'."""
    return {LIBRARY_PREFIX + path.stem: path for path in sorted(STYLES_DIR.glob("*.safetensors"))}


def demo_photos() -> list[Path]:
    """The six photos that ship with the workflows: content for users who have only paintings."""
    return sorted(SHIPPED_INPUTS.glob("photo-*.jpg"))
