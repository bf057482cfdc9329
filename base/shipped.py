"""Where the files that ship with Brushwork are: weights, workflows, and the pictures that workflows read."""

from __future__ import annotations

from pathlib import Path

from .tensor_header import SAFETENSORS

_ROOT = Path(__file__).resolve().parent.parent

WEIGHTS_DIR = _ROOT / "weights"
DEFAULT_CHECKPOINT = WEIGHTS_DIR / "brushwork_default.safetensors"
STYLES_DIR = WEIGHTS_DIR / "styles"
VGG_WEIGHTS = WEIGHTS_DIR / "vgg19_features.safetensors"

# Names of the library's styles have no ending and those of a user's files have one, so they never clash.
LIBRARY_PREFIX = "library/"

WORKFLOWS_DIR = _ROOT / "workflows"
SHIPPED_INPUTS = WORKFLOWS_DIR / "inputs"

# With it begin the names that the pictures get in ComfyUI's input folder, so that they are no user's own.
# They have no folder of their own: Load Image would not list them, and newer pages would call them missing.
EXAMPLE_PREFIX = "brushwork-"

# What the workflow paint_film begins with; scripts/example_film.py makes it.
EXAMPLE_FILM = SHIPPED_INPUTS / "film-city-singapore.mp4"

# Sky, rock and water: a plain, a broken and a mirroring surface. A style treats each in another way.
THUMBNAIL_PHOTO = SHIPPED_INPUTS / "photo-landscape-lake-sherburne.jpg"


def library_styles() -> dict[str, Path]:
    """The style files that ship, by the names that Load Style lists, such as 'library/klimt-kiss'."""
    return {LIBRARY_PREFIX + path.stem: path for path in sorted(STYLES_DIR.glob(f"*{SAFETENSORS}"))}


def example_pictures() -> dict[str, Path]:
    """The pictures that the workflows read, by their names in ComfyUI's input folder.

    'brushwork-photo-city-singapore.jpg' is the shipped photo-city-singapore.jpg.
    """
    shipped = sorted(path for path in SHIPPED_INPUTS.iterdir() if path.suffix in (".jpg", ".webp"))
    return {EXAMPLE_PREFIX + path.name: path for path in shipped}


def example_files() -> dict[str, Path]:
    """The pictures and the film that the workflows read, by their names in ComfyUI's input folder."""
    return example_pictures() | {EXAMPLE_PREFIX + EXAMPLE_FILM.name: EXAMPLE_FILM}


def demo_photos() -> list[Path]:
    """The six photos that ship with the workflows: content for users who have only paintings."""
    return sorted(SHIPPED_INPUTS.glob("photo-*.jpg"))
