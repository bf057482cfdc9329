"""The socket types of Brushwork's nodes, and the values that travel through them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from statistics import fmean
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from torch import Tensor

from ...models.batches import entry
from ...models.content_encoder import ContentCode
from ...models.devices import own_defaults
from ...models.memory import is_out_of_memory, release_cache
from ...models.regions import StyleRegion, paired_batch
from ...models.style_file import StyleFile, content_fingerprint, style_fingerprint
from ...models.style_gan import StyleGAN
from ...painting.batches import pictures_at_once
from ...painting.tile_size import Plan, first_that_fits, make_plans, network_on
from ..bridge import api
from ..bridge.api import Patcher, io
from ..bridge.progress import Progress
from .out_of_memory import with_second_chance

if TYPE_CHECKING:
    from ...painting.films.painter import Attempt

GanSocket = io.Custom("BRUSHWORK_GAN")
ContentSocket = io.Custom("BRUSHWORK_CONTENT")
StyleSocket = io.Custom("BRUSHWORK_STYLE")

# Bytes of float32 feature maps alive at once per pixel of the picture: 140 measured, 265 with luminance.
_WORKING_MEMORY_PER_PIXEL = 320

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Content(ContentCode):
    """The value of BRUSHWORK_CONTENT: B pictures as read by a network's content encoder."""

    encoder: str | None = None
    """The `content_fingerprint` of that network; None if it is not known."""
    own_codes: dict[tuple[str, int], Tensor] = field(default_factory=dict, compare=False, repr=False)
    """The pictures' own style codes [1,L,D] on the CPU, by style encoder and picture, once they are known."""

    @classmethod
    def made_by(cls, style_gan: ManagedGAN, code: ContentCode) -> Content:
        """The content `code` of that network."""
        tensors = {each.name: getattr(code, each.name) for each in fields(ContentCode)}
        return cls(**tensors, encoder=style_gan.content_encoder)

    def own_code(self, i: int, style_gan: ManagedGAN, device: torch.device) -> Tensor:
        """The style code [1,L,D] of picture i itself, towards which a strength below 1 goes.

        It is read once and kept, so that another strength costs one pass of the generator.
        """
        key = style_gan.style_encoder, i if self.batch > 1 else 0
        if key not in self.own_codes:
            self.own_codes[key] = style_gan.gan.encode_style(self.picture(i).image.to(device)).cpu()
        return self.own_codes[key].to(device)

    def refuse_foreign(self, style_gan: ManagedGAN) -> None:
        """Raise ValueError, one sentence, if another network's content encoder read the pictures."""
        if self.encoder is not None and self.encoder != style_gan.content_encoder:
            raise ValueError(
                f"The content was made with another network's content encoder ({self.encoder}), so this "
                "network cannot read it; connect the same network to Encode Content."
            )


@dataclass(frozen=True)
class Style:
    """The value of BRUSHWORK_STYLE: B styles, code [B,L,D] on the CPU.

    The first `structure_layers` of the L layers are structure, the rest colour. `encoder` is the
    `style_fingerprint` of the network that made the code, None if several did or it is not known. The
    `regions` from MaskStyle lie over the code, each over those before it.
    """

    code: Tensor
    structure_layers: int
    encoder: str | None = None
    regions: tuple[StyleRegion, ...] = ()
    stroke_size: float = 1.0
    """How many times as large as the network's own the strokes are, in all regions."""

    @classmethod
    def made_by(cls, style_gan: ManagedGAN, code: Tensor, stroke_size: float = 1.0) -> Style:
        """The style `code` [B,L,D] of that network."""
        layers = style_gan.gan.config.structure_layers
        return cls(code.cpu(), layers, style_gan.style_encoder, stroke_size=stroke_size)

    @classmethod
    def of_file(cls, file: StyleFile) -> Style:
        """The style that the file holds."""
        return cls(file.code[None], file.structure_layers, file.encoder)

    def __len__(self) -> int:
        """B, without the masks over the styles, which may be more."""
        return len(self.code)

    def picture(self, i: int) -> Style:
        """The style of picture i of a batch, with one mask of each region; a single one is for all."""
        regions = tuple(region.picture(i) for region in self.regions)
        return replace(self, code=entry(self.code, i), regions=regions)

    def to(self, device: torch.device | str) -> Style:
        return replace(
            self, code=self.code.to(device), regions=tuple(region.to(device) for region in self.regions)
        )

    def batch_with(self, pictures: int, what: str) -> int:
        """How many paintings these styles and `pictures` pictures make (`paired_batch`).

        Raises ValueError, one sentence that begins with `what`, if their numbers do not match.
        """
        return paired_batch(pictures, self.code, self.regions, what)

    def refuse_regions(self, advice: str) -> None:
        """Raise ValueError, one sentence that ends with `advice`, if the style carries masks."""
        if self.regions:
            raise ValueError(f"This style carries masks, which have no meaning here; {advice}.")

    def refuse_foreign(self, style_gan: ManagedGAN) -> None:
        """Raise ValueError, one sentence, if this network reads style codes in another way.

        Also if they are not finite: other packs can make styles, too.
        """
        if not all(bool(torch.isfinite(code).all()) for code in self._codes()):
            raise ValueError("The style has values that are not finite; make it anew.")
        if self.encoder is not None and self.encoder != style_gan.style_encoder:
            raise ValueError(
                f"The style was made with another network's style encoder ({self.encoder}), so this network "
                "cannot read it; encode the style with the connected network, or load the network it was "
                "made with."
            )

    def _codes(self) -> list[Tensor]:
        return [self.code, *(region.code for region in self.regions)]


def common_encoder(styles: list[Style]) -> str | None:
    """The network that made all `styles`; None if it is not known of each.

    Raises ValueError, one sentence, if there were several: their codes mean nothing to each other.
    """
    encoders = {style.encoder for style in styles}
    known = sorted(encoder for encoder in encoders if encoder is not None)
    if len(known) > 1:
        raise ValueError(
            f"The styles were made with different networks' style encoders ({', '.join(known)}), so they do "
            "not go together; encode all with one network."
        )
    return encoders.pop() if len(encoders) == 1 else None


def common_stroke_size(styles: list[Style]) -> float:
    """The mean of their stroke sizes."""
    return fmean(style.stroke_size for style in styles)


@dataclass(frozen=True)
class InTiles(Generic[T]):
    """Work on pictures of `size` (height, width) that takes less memory: `work(i, plan, network)` does it for
    picture i as the plan says."""

    size: tuple[int, int]
    work: Callable[[int, Plan, StyleGAN], T]


@dataclass(frozen=True)
class InBatches(Generic[T]):
    """Work on several pictures of `size` (height, width) in one call: `work(numbers, device)`.

    `most` pictures at once; 0: as many as are fast and fit into the memory (`pictures_at_once`).
    """

    size: tuple[int, int]
    work: Callable[[range, torch.device], Sequence[T]]
    most: int = 0


@dataclass(frozen=True, eq=False)
class ManagedGAN:
    """The value of BRUSHWORK_GAN: the network, under ComfyUI's memory management."""

    gan: StyleGAN
    patcher: Patcher

    @classmethod
    def manage(cls, gan: StyleGAN) -> ManagedGAN:
        return cls(gan, api.manage(gan))

    @cached_property
    def style_encoder(self) -> str:
        """The network's `style_fingerprint`: nodes never change a network."""
        return style_fingerprint(self.gan)

    @cached_property
    def content_encoder(self) -> str:
        """The network's `content_fingerprint`."""
        return content_fingerprint(self.gan)

    @own_defaults()
    def for_each(
        self,
        count: int,
        pixels: int,
        work: Callable[[int, torch.device], T],
        preview: bool = False,
        in_tiles: InTiles[T] | None = None,
        in_batches: InBatches[T] | None = None,
    ) -> list[T]:
        """[work(0, device), …, work(count - 1, device)], pictures of `pixels` each.

        One picture at a time, so that memory does not grow with the batch; between two of them the
        user may cancel. With `in_batches`, several at a time where that is faster, fewer if memory runs out.
        With `preview`, `work` returns pictures [H,W,3] that the progress bar shows. With
        `in_tiles`, pictures that the memory is too small for are worked on in smaller and smaller parts, and
        at last on the CPU; the log says so.
        """
        memory = pixels * _WORKING_MEMORY_PER_PIXEL
        device = api.load(self.patcher, memory)
        progress = Progress(count)
        results: list[T] = []

        def keep(found: Sequence[T]) -> None:
            for result in found:
                results.append(result)
                progress.step(result if preview and isinstance(result, Tensor) else None)

        if in_batches is not None:
            self._by_batches(count, device, in_batches, results, keep)
        for i in range(len(results), count):
            whole, smaller = partial(work, i, device), None
            if in_tiles is not None:
                plans = make_plans(in_tiles.size, device)
                smaller = partial(self._in_tiles, in_tiles, i, [plan for plan in plans if plan.tile])
                whole = whole if not plans[0].tile else smaller
            keep([self._once(memory, whole, smaller)])
        return results

    def _by_batches(
        self,
        count: int,
        device: torch.device,
        batches: InBatches[T],
        results: Sequence[T],
        keep: Callable[[Sequence[T]], None],
    ) -> None:
        """The first of `count` results, all of them unless memory runs out for two pictures."""
        most = pictures_at_once(batches.size, device, batches.most)
        while most > 1 and len(results) < count:
            api.check_interrupt()
            try:
                found = batches.work(range(len(results), min(count, len(results) + most)), device)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                # The traceback holds the tensors of what failed.
                error.__traceback__ = None
            else:
                keep(found)
                continue
            release_cache(device)
            most //= 2
            logger.warning("Brushwork: out of memory; %d pictures or fewer go together now.", most)

    def attempt(self, pixels: int) -> Attempt:
        """What does one work after the other on the device, each on a picture of `pixels`.

        Before each the user may cancel. If the memory runs out, the work is done again with all of it free.
        """
        memory = pixels * _WORKING_MEMORY_PER_PIXEL
        device = api.load(self.patcher, memory)

        @own_defaults()
        def attempt(work: Callable[[torch.device], T]) -> T:
            return self._once(memory, partial(work, device))

        return attempt

    def _once(self, memory: int, work: Callable[[], T], smaller: Callable[[], T] | None = None) -> T:
        api.check_interrupt()
        return with_second_chance(work, partial(api.load, self.patcher, memory), smaller)

    def _in_tiles(self, in_tiles: InTiles[T], i: int, plans: Sequence[Plan]) -> T:
        return first_that_fits(
            plans,
            lambda plan: in_tiles.work(i, plan, network_on(self.gan, plan.device)),
            lambda note: logger.warning("Brushwork: %s", note),
        )
