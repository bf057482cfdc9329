"""From a photo and a style to a painting: the network, the photo's colours, and refining on request."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..base.files import sha256_of
from ..base.settings import check_type
from ..base.shipped import DEFAULT_CHECKPOINT
from ..models.content_encoder import ContentCode
from ..models.devices import own_defaults, usable_device
from ..models.large.paint import LargePicture
from ..models.passes import Frozen
from ..models.stroke_size import at_scale, combined, painted_scales, stroke_scale
from ..models.style_gan import StyleGAN
from .batches import check_batch, check_photos, pictures_at_once
from .colors import with_colors_of
from .options import StylizeOptions
from .styles import StyleSource, read_painting
from .tile_size import Plan, check_tile, first_that_fits, make_plans, network_on

if TYPE_CHECKING:
    from ..models.perception.vgg import LossNetwork
    from .refine_step import OnStep

# Side of the picture that tries out whether a device can do everything that painting needs.
_TRIAL_SIDE = 32


class Stylizer:
    """Paints photos on one device, with one network. `network` describes it in the settings of pictures."""

    def __init__(
        self,
        gan: StyleGAN,
        options: StylizeOptions | None = None,
        network: dict[str, str] | None = None,
        tile: int = 0,
        batch: int = 0,
    ):
        """`tile` is the side in pixels of the tiles in which the network paints (`tile_size.Plan`), `batch`
        how many pictures of one size `paint_together` paints in one call; 0: from the free memory. Raises
        ValueError for a tile from 1 to 63, a batch below 0, and what is no whole number."""
        check_type("gan", gan, StyleGAN)
        check_tile(tile)
        check_batch(batch)
        self.gan, self.options, self.network = gan, options or StylizeOptions(), network
        self.tile, self.batch = tile, batch
        self.device = next(gan.parameters()).device
        # Codes are small; of photos only those of the last call are kept, for their next style.
        self._codes: dict[StyleSource, Tensor] = {}
        self._content: tuple[Sequence[Tensor], dict[float, ContentCode]] | None = None
        # A pass that has merged the kernels for the last code.
        self._merged: tuple[Tensor, Frozen] | None = None
        self._loss_network: LossNetwork | None = None

    @classmethod
    @own_defaults()
    def load(
        cls,
        checkpoint: str | os.PathLike[str] | None = None,
        options: StylizeOptions | None = None,
        device: str = "auto",
        tile: int = 0,
        batch: int = 0,
    ) -> Stylizer:
        """With the network in `checkpoint` (None: the shipped one) on `device`.

        'auto' is a GPU of CUDA, or Apple's or Intel's if it can do all that the options need, else the CPU.
        Raises CheckpointError for a file that is not a network, ValueError for a device that is not here.
        """
        gan = StyleGAN.load(DEFAULT_CHECKPOINT if checkpoint is None else checkpoint)
        path = Path(DEFAULT_CHECKPOINT if checkpoint is None else checkpoint)
        network = {"file": path.name, "sha256": sha256_of(path)}
        if device != "auto":
            refusal = "The device {} cannot be used here; give auto, cpu or another one."
            return cls(gan.to(usable_device(device, refusal)), options, network, tile, batch)
        if torch.cuda.is_available():
            return cls(gan.to("cuda"), options, network, tile, batch)
        for kind, is_there in (("mps", torch.backends.mps.is_available()), ("xpu", torch.xpu.is_available())):
            if not is_there:
                continue
            try:
                on_gpu = cls(gan.to(kind), options, network, tile, batch)
                on_gpu.try_out()
                return on_gpu
            except (RuntimeError, TypeError):
                # Some operations have no implementation there, depending on PyTorch's version.
                gan = StyleGAN.load(path)
        return cls(gan, options, network, tile, batch)

    @own_defaults()
    def paint(
        self,
        photo: Tensor,
        style: StyleSource,
        on_step: OnStep | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> Tensor:
        """The photo [1,3,H,W] in 0..1, painted in `style`: the same size, on the stylizer's device, or on the
        CPU where the network paints in tiles.

        If the memory runs out, tiles get smaller, and at last the CPU paints; `on_note` gets a sentence each
        time. on_step and on_note are called while refining; see `refine`.
        Raises ValueError for a photo of another shape, for a style that cannot be read, that another network
        made, or that is to be refined and is not made of paintings; RefineError where refining fails.
        """
        check_photos([photo])
        return self._paint(photo, self.code(style), *self._paintings(style), on_step, on_note)

    def most_together(self, size: tuple[int, int]) -> int:
        """How many photos of `size` (H, W) `paint_together` paints in one call; one where they are refined or
        in tiles."""
        if self.options.refine is not None or 0 < self.tile**2 < size[0] * size[1]:
            return 1
        scale = min(1.0, stroke_scale(self.options.stroke_size, self.options.strokes, size))
        painted = round(size[0] / scale), round(size[1] / scale)
        return pictures_at_once(painted, self.device, self.batch)

    @own_defaults()
    def paint_together(
        self, photos: Sequence[Tensor], style: StyleSource, on_note: Callable[[str], None] | None = None
    ) -> list[Tensor]:
        """Photos [1,3,H,W] of one size, each painted as `paint` would, up to rounding: in one call of the
        network, or in several if the memory runs out. They are not refined. Errors as in `paint`."""
        check_photos(photos)
        options = self.options
        return self._by_network(photos, self.code(style), options.strength, options.preserve_color, on_note)

    def code(self, style: StyleSource) -> Tensor:
        """The code [1,L,D] of a style, on the stylizer's device; it is kept. Errors as in `paint`."""
        check_type("style", style, StyleSource)
        if style not in self._codes:
            with torch.inference_mode():
                self._codes[style] = style.code(self.gan)
        return self._codes[style]

    def forget_photo(self) -> None:
        """Free the memory that the contents of the last photo take."""
        self._content = None

    @own_defaults()
    def try_out(self) -> None:
        """Paint a very small picture; raises the device's error if it cannot do everything for it."""
        options = self.options
        if options.refine is not None:
            self.options = replace(options, refine=replace(options.refine, steps=1))
        try:
            picture = torch.rand(1, 3, _TRIAL_SIDE, _TRIAL_SIDE)
            with torch.inference_mode():
                code = self.gan.encode_style(picture.to(self.device))
            self._paint(picture, code, [picture], [1.0], None, None).cpu()
        finally:
            self.options = options
            self.forget_photo()

    def _paintings(self, style: StyleSource) -> tuple[list[Tensor], list[float]]:
        if self.options.refine is None:
            return [], []
        files = style.paintings()
        if files is None:
            raise ValueError(
                f"{style.name} holds no painting, and refining looks at one; name the painting itself."
            )
        used = [(path, weight) for path, weight in files if weight > 0]
        return [read_painting(path) for path, _ in used], [weight for _, weight in used]

    def _paint(
        self,
        photo: Tensor,
        code: Tensor,
        paintings: Sequence[Tensor],
        weights: Sequence[float],
        on_step: OnStep | None,
        on_note: Callable[[str], None] | None,
    ) -> Tensor:
        options = self.options
        if options.refine is None:
            return self._by_network([photo], code, options.strength, options.preserve_color, on_note)[0]

        from ..models.perception.vgg import LossNetwork, loss_dtype
        from .refine import refine

        # Refining looks at the full style; below full strength the photo shines through at the end. The
        # content code goes before it begins: it takes as much memory as the picture.
        with torch.no_grad():
            if options.strength == 0:
                return photo.to(self.device)
            (painted,) = self._by_network([photo], code, 1.0, None, on_note)
            self.forget_photo()
            # A clone is no inference tensor any more, and may take part in gradients.
            photo, painted = photo.to(self.device), painted.to(self.device).clone()
            if self._loss_network is None:
                dtype = loss_dtype(options.refine.dtype, self.device)
                # One that is made in inference mode could never give gradients.
                with torch.inference_mode(False):
                    self._loss_network = LossNetwork(dtype=dtype).to(self.device)
        refined = refine(
            painted,
            photo,
            [painting.to(self.device) for painting in paintings],
            weights,
            options.refine,
            on_step,
            network=self._loss_network,
            gan=self.gan,
            seed=options.seed,
            on_note=on_note,
        )
        return refined if options.strength == 1 else torch.lerp(photo, refined, options.strength)

    def _by_network(
        self,
        photos: Sequence[Tensor],
        code: Tensor,
        strength: float,
        preserve_color: str | None,
        on_note: Callable[[str], None] | None,
    ) -> list[Tensor]:
        """What the network paints of photos of one size; `preserve_color` None leaves it as it is."""
        if not photos:
            return []
        size = photos[0].shape[2], photos[0].shape[3]
        scales = painted_scales(stroke_scale(self.options.stroke_size, self.options.strokes, size))
        in_scales = [self._at_scale(photos, scale, code, strength, on_note) for scale in scales]
        finished = []
        with torch.inference_mode():
            for photo, *paintings in zip(photos, *in_scales, strict=True):
                # One of them may have been painted on the CPU, for want of memory.
                painted = combined([each.to(paintings[0].device) for each in paintings], size)
                if preserve_color:
                    painted = with_colors_of(photo.to(painted.device), painted, preserve_color)
                finished.append(painted)
        return finished

    def _at_scale(
        self,
        photos: Sequence[Tensor],
        scale: float,
        code: Tensor,
        strength: float,
        on_note: Callable[[str], None] | None,
    ) -> list[Tensor]:
        """The paintings of the photos at `scale`, each in one piece or in tiles."""
        size = photos[0].shape[2], photos[0].shape[3]
        if scale != 1:
            size = max(1, round(size[0] / scale)), max(1, round(size[1] / scale))

        @torch.inference_mode()
        def paint(plan: Plan) -> list[Tensor]:
            gan = network_on(self.gan, plan.device)
            own = code.to(plan.device)
            if plan.tile:
                self.forget_photo()
                return [
                    self._in_tiles(gan, at_scale(photo.cpu(), scale), own, strength, plan) for photo in photos
                ]
            how, painted = self._pass_for(own) if strength == 1 else None, list[Tensor]()
            for start in range(0, len(photos), plan.pictures):
                content = self._encoded(gan, photos[start : start + plan.pictures], scale, plan.device)
                painted += gan.generate(content, own, strength, self.options.seed, how=how).split(1)
            return painted

        return first_that_fits(make_plans(size, self.device, self.tile, len(photos)), paint, on_note)

    def _in_tiles(self, gan: StyleGAN, photo: Tensor, code: Tensor, strength: float, plan: Plan) -> Tensor:
        size = photo.shape[2], photo.shape[3]
        picture = LargePicture(lambda start, stop: photo[:, :, start:stop], size, plan.store())
        painted = torch.empty_like(photo)
        for start, rows in picture.paint(gan, code, strength, self.options.seed):
            painted[:, :, start : start + rows.shape[2]] = rows
        return painted

    def _pass_for(self, code: Tensor) -> Frozen:
        """A pass for pictures in the full style `code`: below full strength each picture has its own code."""
        if self._merged is None or self._merged[0] is not code:
            self._merged = code, Frozen(kept={})
        return self._merged[1]

    def _encoded(
        self, gan: StyleGAN, photos: Sequence[Tensor], scale: float, device: torch.device
    ) -> ContentCode:
        if self._content is None or [*map(id, self._content[0])] != [*map(id, photos)]:
            # First the memory of the last photos.
            self._content = None
            self._content = photos, {}
        known = self._content[1]
        if scale not in known or known[scale].image.device != device:
            known.pop(scale, None)
            here = [photo.to(device, non_blocking=True) for photo in photos]
            known[scale] = gan.encode_content(at_scale(here[0] if len(here) == 1 else torch.cat(here), scale))
        return known[scale]
