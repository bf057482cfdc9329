"""The programs that paint by optimisation, behind one protocol: each calls back after every step."""

from __future__ import annotations

import importlib
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Protocol

import torch
from PIL.Image import Image
from torch import Tensor, nn

from benchmarks.fingerprint import fingerprint
from benchmarks.peers import LeftOut
from benchmarks.refine.turns import Watch
from brushwork import models
from brushwork import painting as painting_room
from brushwork.base.shipped import DEFAULT_CHECKPOINT, VGG_WEIGHTS
from brushwork.models import StyleGAN
from brushwork.models.perception.vgg import BGR_MEAN, LossNetwork, fastest_loss_dtype
from brushwork.painting.options import RefineOptions
from brushwork.painting.refine import refine
from brushwork.painting.sources import resized
from brushwork.pictures.tensors import as_picture

# crowsonkb's program takes pictures whose deviation is about 1: torchvision's, over the three channels.
DEVIATION = 0.226


class Optimizer(Protocol):
    """Paints step by step.

    `name` heads its row; `identity` changes with what decides its pictures, except the device.
    """

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    def paint(self, photo: Tensor, painting: Tensor, watch: Watch) -> None:
        """photo and painting [1,3,S,S] in 0..1; the pictures are of their size."""
        ...


class StyleTransfer(Protocol):
    """What is used of crowsonkb's class of this name, which has no annotations."""

    model: nn.Module

    def stylize(self, content_image: Image, style_images: list[Image], **settings: object) -> object: ...

    def get_image_tensor(self) -> Tensor:
        """The picture so far, [3,h,w] in 0..1."""
        ...


class Refining:
    """`painting.refine`, from Generate's picture, which is the first that is handed over."""

    name = "Brushwork"

    def __init__(self, device: str, options: RefineOptions | None = None):
        self.options = options or RefineOptions()
        self.gan = StyleGAN.default().to(device)
        self.network = LossNetwork(dtype=fastest_loss_dtype(torch.device(device))).to(device)
        code = [file for room in (models, painting_room) for file in _sources(room)]
        self.identity = fingerprint(
            VGG_WEIGHTS, DEFAULT_CHECKPOINT, *code, Refining, repr(self.options.as_dict())
        )

    def generated(self, photo: Tensor, painting: Tensor) -> Tensor:
        """Generate's picture, [1,3,H,W] in 0..1."""
        with torch.no_grad():
            return self.gan.stylize(photo, painting)

    def paint(self, photo: Tensor, painting: Tensor, watch: Watch) -> None:
        start = self.generated(photo, painting)
        size = (photo.shape[-2], photo.shape[-1])
        watch(lambda: start)
        refine(
            start,
            photo,
            painting,
            options=self.options,
            network=self.network,
            gan=self.gan,
            on_step=lambda step: watch(lambda: resized(step.picture(), size)),
        )


class Pastiche:
    """PyPI pastiche with its own defaults: L-BFGS from the photo, max pooling, no total variation.

    Its command takes 1000 steps by default. Building it reads its network, which does not count as work.
    """

    def __init__(self, device: str, steps: int = 500):
        try:
            self._artist = importlib.import_module("pastiche.pastiche").PasticheArtist
        except ImportError as error:
            raise LeftOut("it is not installed (pip install pastiche==1.6.0)") from error
        self.device, self.steps = device, steps
        self.name = f"pastiche, {steps} iterations"
        self.identity = fingerprint(version("pastiche"), str(steps), Pastiche)

    def paint(self, photo: Tensor, painting: Tensor, watch: Watch) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("photo.png", "painting.png")]
            for file, image in zip(files, (photo, painting), strict=True):
                as_picture(image).save(file)
            artist = self._artist(str(files[0]), [str(files[1])], device=self.device)
        mean = torch.tensor(BGR_MEAN, device=self.device)[:, None, None]

        def picture() -> Tensor:
            found: Tensor = artist.pastiche.detach()
            return ((found + mean) / 255).flip(1).clamp(0, 1)

        watch.begin()
        for _ in range(self.steps):
            artist.draw()
            watch(picture)


class Crowsonkb:
    """crowsonkb/style-transfer-pytorch (MIT), imported from a checkout, with its own defaults.

    It gets the weights of VGG-19 that pastiche and Brushwork have; its own are a download. `share` shortens
    all stages of its default schedule alike. Building it and its network does not count as work.
    """

    def __init__(self, device: str, checkout: Path, share: float = 1.0):
        file = checkout / "style_transfer" / "style_transfer.py"
        if not file.is_file():
            raise LeftOut(f"{checkout} is no checkout of it, since style_transfer/{file.name} is missing")
        self.device, self.share = device, share
        self.name = "crowsonkb" if share == 1 else f"crowsonkb, {share:g} of its iterations"
        self.identity = fingerprint(file, file.with_name("sqrtm.py"), f"{share}", Crowsonkb, loss_layers)
        self._program = _import_from(file)
        # It says on every stage which size it works at.
        vars(self._program)["print"] = lambda *words: None

    def shortened(self, share: float) -> Crowsonkb:
        """The same with `share` of the iterations, or all of its default ones if that is less."""
        checkout = Path(self._program.__file__ or "").parents[1]
        return Crowsonkb(self.device, checkout, min(self.share * share, 1.0))

    def build(self) -> StyleTransfer:
        """Its program with the weights in it."""
        layers, names = loss_layers(), vars(self._program)
        torchvision_models = names["models"]
        names["models"] = SimpleNamespace(
            vgg19=lambda weights: SimpleNamespace(features=layers),
            VGG19_Weights=torchvision_models.VGG19_Weights,
        )
        try:
            found: StyleTransfer = self._program.StyleTransfer(devices=[self.device])
        finally:
            names["models"] = torchvision_models
        mean = [level / 255 for level in reversed(BGR_MEAN)]
        found.model.normalize = self._program.transforms.Normalize(mean=mean, std=[DEVIATION] * 3)
        return found

    def paint(self, photo: Tensor, painting: Tensor, watch: Watch) -> None:
        program = self.build()
        size = (photo.shape[-2], photo.shape[-1])

        def picture() -> Tensor:
            return resized(program.get_image_tensor()[None], size)

        watch.begin()
        program.stylize(
            as_picture(photo),
            [as_picture(painting)],
            end_scale=max(size),
            iterations=max(1, round(500 * self.share)),
            initial_iterations=max(1, round(1000 * self.share)),
            callback=lambda iterate: watch(picture),
        )


def loss_layers() -> nn.Sequential:
    """torchvision's layers of VGG-19 with pastiche's weights.

    They take RGB in 0..1 less the means, over `DEVIATION`.

    A network of convolutions, ReLU and pooling is homogeneous: with input and all biases divided by one
    number, all features are. So they are Brushwork's, in the range that torchvision's have.

    Raises LeftOut without pastiche: Brushwork ships the layers up to relu4_1 only.
    """
    try:
        source = importlib.import_module("pastiche.vgg19")
    except ImportError as error:
        raise LeftOut("its weights come from pastiche (pip install pastiche==1.6.0)") from error
    vgg = importlib.import_module("torchvision.models.vgg")
    layers: nn.Sequential = vgg.make_layers(vgg.cfgs["E"])
    file = Path(source.__file__ or "").with_name("vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin")
    trained = source.VGG19.from_quantized_bin(str(file))
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        for i, (name, layer) in enumerate(zip(source.VGG19.Weights._fields, convolutions, strict=True)):
            own = getattr(trained, name)
            layer.weight.copy_(own.weight if i else own.weight.flip(1))
            assert layer.bias is not None
            layer.bias.copy_(own.bias / (255 * DEVIATION))
    return layers


def _import_from(file: Path) -> ModuleType:
    """`style_transfer.style_transfer` of the checkout, without its package's web page and what that needs."""
    package = ModuleType(file.parent.name)
    package.__path__ = [str(file.parent.resolve())]
    for name in [name for name in sys.modules if name.split(".")[0] == package.__name__]:
        del sys.modules[name]
    sys.modules[package.__name__] = package
    return importlib.import_module(f"{package.__name__}.{file.stem}")


def _sources(room: ModuleType) -> list[Path]:
    return sorted(Path(room.__file__ or "").parent.rglob("*.py"))
