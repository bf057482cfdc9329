"""The socket types of Brushwork's nodes, and the values that travel through them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from ...models.batches import entry
from ...models.regions import StyleRegion, paired_batch
from ...models.style_file import style_fingerprint
from ...models.style_gan import StyleGAN
from ...painting.films.painter import Attempt
from ..bridge import api
from ..bridge.api import Patcher, io
from ..bridge.progress import Progress
from .memory import with_second_chance

logger = logging.getLogger(__name__)

GanSocket = io.Custom("BRUSHWORK_GAN")
ContentSocket = io.Custom("BRUSHWORK_CONTENT")
StyleSocket = io.Custom("BRUSHWORK_STYLE")

# Bytes of float32 feature maps alive at once per pixel of the picture: 140 measured, 265 with luminance.
_WORKING_MEMORY_PER_PIXEL = 320

T = TypeVar("T")


@dataclass(frozen=True)
class Style:
    """The value of BRUSHWORK_STYLE: B styles, code [B,L,D] on the CPU.

    The first `coarse_layers` of the L layers are structure, the rest colour. `encoder` is the
    `style_fingerprint` of the network that made the code, None if several did or it is not known. The
    `regions` from MaskStyle lie over the code, each over those before it.
    """

    code: Tensor
    coarse_layers: int
    encoder: str | None = None
    regions: tuple[StyleRegion, ...] = ()

    @classmethod
    def made_by(cls, gan: StyleGAN, code: Tensor) -> Style:
        """The style `code` [B,L,D] of `gan`."""
        return cls(code.cpu(), gan.config.coarse_layers, style_fingerprint(gan))

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

    def warn_if_foreign(self, gan: StyleGAN) -> None:
        """Log one sentence if the style was made by a network whose codes mean other things to `gan`."""
        if self.encoder is not None and self.encoder != style_fingerprint(gan):
            logger.warning(
                "Brushwork: the style was made with another network's style encoder (%s), so the picture "
                "will not look like it; encode the style with the connected network, or load the network it "
                "was made with.",
                self.encoder,
            )


def common_encoder(styles: list[Style]) -> str | None:
    """The network that made all `styles`; None, and a warning in the log, if there were several."""
    encoders = {style.encoder for style in styles}
    if len(encoders - {None}) > 1:
        logger.warning(
            "Brushwork: the mixed styles were made with different networks' style encoders (%s), so the mix "
            "means nothing to any of them; encode all with one network.",
            ", ".join(sorted(encoder for encoder in encoders if encoder is not None)),
        )
    return encoders.pop() if len(encoders) == 1 else None


@dataclass(frozen=True, eq=False)
class ManagedGAN:
    """The value of BRUSHWORK_GAN: the network, under ComfyUI's memory management."""

    gan: StyleGAN
    patcher: Patcher

    @classmethod
    def manage(cls, gan: StyleGAN) -> ManagedGAN:
        return cls(gan, api.manage(gan))

    def for_each(
        self, count: int, pixels: int, work: Callable[[int, torch.device], T], preview: bool = False
    ) -> list[T]:
        """[work(0, device), …, work(count - 1, device)], pictures of `pixels` each.

        One picture at a time, so that memory does not grow with the batch; between two of them the
        user may cancel. With `preview`, `work` returns pictures [H,W,3] that the progress bar shows.
        """
        attempt = self.attempt(pixels)
        progress = Progress(count)
        results = []
        for i in range(count):
            result = attempt(partial(work, i))
            results.append(result)
            progress.step(result if preview and isinstance(result, Tensor) else None)
        return results

    def attempt(self, pixels: int) -> Attempt:
        """What does one work after the other on the device, each on a picture of `pixels`.

        Before each the user may cancel. If the memory runs out, the work is done again with all of it free.
        """
        memory = pixels * _WORKING_MEMORY_PER_PIXEL
        device = api.load(self.patcher, memory)

        def attempt(work: Callable[[torch.device], T]) -> T:
            api.check_interrupt()
            return with_second_chance(partial(work, device), partial(api.load, self.patcher, memory))

        return attempt
