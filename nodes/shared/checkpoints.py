"""The checkpoints to choose from: those that ship, and those in models/brushwork."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

from ...base.excerpt import excerpt
from ...base.settings import check_type
from ...base.shipped import DEFAULT_CHECKPOINT, WEIGHTS_DIR
from ...base.tensor_header import SAFETENSORS, read_metadata
from ...models.checkpoint import FORMAT, CheckpointError
from ...models.style_gan import StyleGAN
from ..bridge import api
from .inputs import check_socket
from .sockets import ManagedGAN

api.register_model_folder()

# A network is read once for all nodes and workflows, and goes when the last one drops it.
_loaded: WeakValueDictionary[tuple[str, int, int], ManagedGAN] = WeakValueDictionary()

# Except for that of nodes without a network: each of them would read it anew.
_kept: list[ManagedGAN] = []


def checkpoint_names() -> list[str]:
    """The default first, then the others that ship, then those in models/brushwork."""
    shipped = sorted(path.name for path in WEIGHTS_DIR.glob(f"*{SAFETENSORS}") if _is_style_gan(path))
    shipped.sort(key=lambda name: name != DEFAULT_CHECKPOINT.name)
    return list(dict.fromkeys([*shipped, *api.model_folder_files()]))


def find_checkpoint(name: str) -> Path:
    """The file that `name` stands for; a file in models/brushwork hides a shipped one of that name.

    Raises CheckpointError if there is none; ValueError if it is no text.
    """
    # Prompts of programs may hold anything.
    check_type("checkpoint", name, str)
    path = api.model_folder_path(name)
    if path is None and name in checkpoint_names():
        path = WEIGHTS_DIR / name
    if path is None:
        raise CheckpointError(
            f"There is no checkpoint '{excerpt(name)}'; put the file into ComfyUI's folder "
            f"models/{api.MODEL_FOLDER} or choose another one."
        )
    return path


def file_stamp(path: Path) -> tuple[str, int, int]:
    """Path, time and size: changes when the file is replaced."""
    stat = path.stat()
    return str(path), stat.st_mtime_ns, stat.st_size


def load_checkpoint(name: str) -> ManagedGAN:
    """The network in the checkpoint `name`. Raises CheckpointError if the file cannot be used."""
    path = find_checkpoint(name)
    stamp = file_stamp(path)
    managed = _loaded.get(stamp)
    if managed is None:
        managed = _loaded[stamp] = ManagedGAN.manage(StyleGAN.load(path))
    return managed


def connected_or_default(style_gan: ManagedGAN | None) -> ManagedGAN:
    """The network at the input `style_gan`; the one that ships if nothing is connected.

    Raises ValueError, one sentence, for anything else.
    """
    if style_gan is None:
        style_gan = load_checkpoint(DEFAULT_CHECKPOINT.name)
        _kept[:] = [style_gan]
    check_socket(style_gan, "style_gan", ManagedGAN)
    return style_gan


def _is_style_gan(path: Path) -> bool:
    try:
        return read_metadata(path).get("format") == FORMAT
    except (OSError, ValueError):
        return False
