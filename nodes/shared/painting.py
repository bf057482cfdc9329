"""Reading pictures with a network and painting them, as several nodes do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from ...base.choices import PRESERVE_COLOR
from ...base.settings import check_choice, check_number
from ...models.content_encoder import ContentCode
from ...models.large.content import LargeContent, encode_large_content
from ...models.large.maps import MapStore
from ...models.large.paint import LargePicture
from ...models.large.style import encode_large_style
from ...models.passes import Frozen
from ...models.regions import StyleRegion
from ...models.stroke_size import at_scale, check_stroke_size, combined, painted_scales, stroke_scale
from ...models.style_gan import StyleGAN
from ...painting.colors import with_colors_of
from ...painting.tile_size import Plan
from ..bridge import api
from .images import to_image, to_rgb
from .sockets import Content, InBatches, InTiles, ManagedGAN, Style


class Motifs(Protocol):
    """Pictures of one size to paint."""

    @property
    def batch(self) -> int:
        """How many they are."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def read(self, numbers: range, device: torch.device) -> ContentCode:
        """What is in the pictures of these numbers, or in the only one."""

    def own_code(self, i: int, style_gan: ManagedGAN, device: torch.device) -> Tensor:
        """The style code [1,L,D] of picture i itself, or of the only one."""

    def photo(self, i: int) -> Tensor:
        """Picture i, or the only one, [1,3,H,W] on the CPU."""

    def known(self, i: int, store: MapStore) -> LargeContent | None:
        """What is in picture i for painting in tiles; None if it has not been read."""


class Contents:
    """Pictures that Encode Content has read."""

    def __init__(self, content: Content):
        self._content = content
        self.batch, self.size = content.batch, content.size

    def read(self, numbers: range, device: torch.device) -> ContentCode:
        return self._content[_slice_of(numbers, self.batch)].to(device)

    def own_code(self, i: int, style_gan: ManagedGAN, device: torch.device) -> Tensor:
        return self._content.own_code(i, style_gan, device)

    def photo(self, i: int) -> Tensor:
        return self._content.picture(i).image.cpu()

    def known(self, i: int, store: MapStore) -> LargeContent | None:
        return LargeContent.from_code(self._content.picture(i).to("cpu"), store)


class Photos:
    """Photos that are read when it is their turn, so that the codes of a long batch need no memory."""

    def __init__(self, style_gan: ManagedGAN, image: Tensor, socket: str):
        """IMAGE `image` of the input `socket`; ValueError, one sentence, if it is none."""
        self._gan, self._photos = style_gan.gan, to_rgb(image, "The photo", socket)
        self.batch, _, *size = self._photos.shape
        self.size = (size[0], size[1])
        self._last: tuple[slice, ContentCode] | None = None

    def read(self, numbers: range, device: torch.device) -> ContentCode:
        part = _slice_of(numbers, self.batch)
        if self._last is None or self._last[0] != part:
            self._last = None
            self._last = part, self._gan.encode_content(self._photos[part].to(device))
        return self._last[1]

    def own_code(self, i: int, style_gan: ManagedGAN, device: torch.device) -> Tensor:
        i = i if self.batch > 1 else 0
        return style_gan.gan.encode_style(self._photos[i : i + 1].to(device))

    def photo(self, i: int) -> Tensor:
        i = i if self.batch > 1 else 0
        return self._photos[i : i + 1].cpu()

    def known(self, i: int, store: MapStore) -> LargeContent | None:
        return None


def _slice_of(numbers: range, batch: int) -> slice:
    """Where pictures lie in a batch; a single one is for all numbers."""
    return slice(numbers.start, numbers.stop) if batch > 1 else slice(0, 1)


def encode_contents(style_gan: ManagedGAN, image: Tensor, at_once: int = 0) -> Content:
    """What is in the pictures of IMAGE `image`; `at_once` as in `InBatches`."""
    photos = to_rgb(image, "The content picture", "image")
    keep = api.intermediate_device()

    def encode(i: int, device: torch.device) -> ContentCode:
        return encode_together(range(i, i + 1), device)[0]

    def encode_together(numbers: range, device: torch.device) -> list[ContentCode]:
        part = photos[numbers.start : numbers.stop]
        read = style_gan.gan.encode_content(part.to(device)).to(keep)
        return [read.picture(k) for k in range(len(numbers))]

    def encode_in_tiles(i: int, plan: Plan, gan: StyleGAN) -> ContentCode:
        photo = photos[i : i + 1]
        rows, size = lambda start, stop: photo[:, :, start:stop], (height, width)
        large = encode_large_content(gan.content_encoder, rows, size, plan.store())
        return large.code(photo).to(keep)

    count, _, height, width = photos.shape
    in_tiles = InTiles((height, width), encode_in_tiles)
    in_batches = InBatches((height, width), encode_together, at_once)
    codes = style_gan.for_each(count, height * width, encode, in_tiles=in_tiles, in_batches=in_batches)
    # The pictures are the input's own tensors, so no second copy of a whole batch is kept.
    return Content.made_by(style_gan, replace(ContentCode.cat(codes), image=photos.to(keep)))


def encode_styles(
    style_gan: ManagedGAN, image: Tensor, socket: str, average: bool = False, stroke_size: float = 1.0
) -> Style:
    """How the paintings of IMAGE `image`, from the input `socket`, are painted: a style for each, or with
    `average` one for all; its strokes are to have that `stroke_size`.

    Raises ValueError for a `stroke_size` outside 0.25..4.
    """
    check_stroke_size(stroke_size)
    paintings = to_rgb(image, "The style picture", socket)

    def encode(i: int, device: torch.device) -> Tensor:
        return style_gan.gan.encode_style(paintings[i : i + 1].to(device)).cpu()

    def encode_in_tiles(i: int, plan: Plan, gan: StyleGAN) -> Tensor:
        painting = paintings[i : i + 1]
        rows, size = lambda start, stop: painting[:, :, start:stop], (height, width)
        return encode_large_style(gan, rows, size).cpu()

    count, _, height, width = paintings.shape
    in_tiles = InTiles((height, width), encode_in_tiles)
    code = torch.cat(style_gan.for_each(count, height * width, encode, in_tiles=in_tiles))
    return Style.made_by(style_gan, code.mean(0, keepdim=True) if average else code, stroke_size)


def paint(
    style_gan: ManagedGAN,
    motifs: Motifs,
    style: Style,
    strength: float,
    preserve_color: str,
    seed: int,
    strokes: str = "pixels",
    at_once: int = 0,
) -> Tensor:
    """IMAGE [B,H,W,3]: each of the `motifs` in its style; `strokes` as `stroke_scale` has them.

    `at_once` is as in `InBatches`, for several motifs in one style. Raises ValueError, one sentence, if their
    numbers do not match, another network made the style, or the strength or what to do with colours is none.
    """
    check_number("strength", strength, 0, 1)
    check_choice("preserve_color", preserve_color, PRESERVE_COLOR)
    batch = style.batch_with(motifs.batch, "The contents and the styles")
    style.refuse_foreign(style_gan)
    height, width = motifs.size
    scales = painted_scales(stroke_scale(style.stroke_size, strokes, motifs.size))
    images = torch.empty(batch, height, width, 3, dtype=torch.float32, device=api.intermediate_device())
    # Kernels belong to a style, and masks to a picture: only motifs in one style go together.
    one_style = len(style) == 1 and not style.regions
    how = Frozen(kept={}) if one_style and strength == 1 else None

    def work(i: int, device: torch.device) -> Tensor:
        return work_together(range(i, i + 1), device)[0]

    def work_together(numbers: range, device: torch.device) -> list[Tensor]:
        gan, own, paintings = style_gan.gan, style.picture(numbers.start).to(device), []
        for scale in scales:
            of_photo = None
            if scale == 1:
                motif = motifs.read(numbers, device)
                if 0 < strength < 1:
                    of_photo = torch.cat([motifs.own_code(i, style_gan, device) for i in numbers])
            else:
                photos = torch.cat([motifs.photo(i) for i in numbers])
                motif = gan.encode_content(at_scale(photos.to(device), scale))
            paintings.append(gan.generate(motif, own.code, strength, seed, own.regions, how, of_photo))
        for i, painted in zip(numbers, combined(paintings, motifs.size).split(1), strict=True):
            photo = motifs.photo(i).to(device)
            images[i] = to_image(with_colors_of(photo, painted, preserve_color))[0]
        return [images[i] for i in numbers]

    def work_in_tiles(i: int, plan: Plan, gan: StyleGAN) -> Tensor:
        photo, own, paintings = motifs.photo(i), style.picture(i), []
        # The masks stay where they are: they are as large as the picture.
        regions = [StyleRegion(region.code.to(plan.device), region.mask) for region in own.regions]
        for scale in scales:
            whole, store = at_scale(photo, scale), plan.store()
            painted, known = torch.empty_like(whole), motifs.known(i, store) if scale == 1 else None
            large = LargePicture(partial(_rows, whole), (whole.shape[2], whole.shape[3]), store)
            for start, rows in large.paint(gan, own.code.to(plan.device), strength, seed, regions, known):
                api.check_interrupt()
                painted[:, :, start : start + rows.shape[2]] = rows
            paintings.append(painted)
        painted = combined(paintings, motifs.size)
        images[i] = to_image(with_colors_of(photo, painted, preserve_color))[0]
        return images[i]

    # With finer strokes, what is painted is larger than the picture.
    largest = (round(height / min(1.0, scales[0])), round(width / min(1.0, scales[0])))
    in_tiles = InTiles(largest, work_in_tiles)
    in_batches = InBatches(largest, work_together, at_once) if one_style else None
    style_gan.for_each(batch, largest[0] * largest[1], work, batch > 1, in_tiles, in_batches)
    return images


def _rows(picture: Tensor, start: int, stop: int) -> Tensor:
    return picture[:, :, start:stop]
