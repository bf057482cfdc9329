"""A network that is tuned to one photo and its paintings: what refining moves are its weights.

Pixels that move one by one take on grain and specks as small as themselves. A convolutional network can
hardly paint these (deep image prior, Ulyanov 2018), and what it learns for one stroke it does in all. Unlike
a deep image prior, this one begins as a network that paints, and it sees the photo and the style codes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.batches import entry, repeated
from ..models.content_encoder import ContentCode
from ..models.cycle_spinning import PLACES, spun
from ..models.generator import Generator
from ..models.grid import GRID, grid_corner
from ..models.noise import PlacedNoise
from ..models.passes import ForwardPass, Frozen, Trained
from ..models.style_gan import StyleGAN
from .fine_contrast import with_fine_contrast
from .objective import Mixture
from .sources import resized

# Adam's rate, after this many steps of warming up. In the last two fifths of the steps it falls to a tenth.
_RATE = 2e-3
_WARM_UP = 5
_FALL = 0.4

# Up to so many pixels, what the gradients need is kept while the loss network looks. Beyond, the picture is
# painted once more for them, which takes time in place of memory.
_KEPT_PIXELS = 2**18

# At the sizes after the first the network knows its strokes.
_LATER_RATE = 0.5


class TunedNetwork:
    """Copies of a generator, one for each photo, so that no photo of a batch changes another.

    mixtures: the paintings of each of K regions; seed: that of the strokes. The last layer stays as it is: it
    makes 4 x 4 pixels of a cell, each with weights of its own, and a grid of 4 pixels would be cheap for it.
    """

    def __init__(self, gan: StyleGAN, mixtures: Sequence[Mixture], batch: int, seed: int = 0):
        self._noise = PlacedNoise((seed,))
        device = mixtures[0].paintings[0].device
        self.gan = copy.deepcopy(gan).to(device).float().requires_grad_(False)
        with torch.no_grad():
            self.codes = [_code(self.gan, mixture) for mixture in mixtures]
        self.generators: list[Generator] = [copy.deepcopy(self.gan.generator) for _ in range(batch)]
        for generator in self.generators:
            generator.requires_grad_(True)
            generator.head.requires_grad_(False)
        self._weights = [
            weight for each in self.generators for weight in each.parameters() if weight.requires_grad
        ]
        # Fused is one pass over weights and averages, but it copies what is not in the order of the memory.
        self._in_order = [_in_order(weight.detach()) for weight in self._weights]
        fused = device.type in ("cpu", "cuda")
        self._optimizer = torch.optim.Adam(self._in_order, lr=_RATE, betas=(0.9, 0.99), fused=fused)

    def paint(self, photo: Tensor, shares: Tensor | None) -> Tensor:
        """What the network paints now, [B,3,H,W] in 0..1: the mean over places of its grid; no gradients.

        photo [B,3,H,W]; shares [1 or B,K,H,W] with sums 1, or None with one region.
        """
        # Tuning teaches the network what the statistics reward, and a pattern that repeats in every cell of
        # the grid is the cheapest texture of all.
        return spun(
            self.gan, photo, grid_corner(photo), lambda content: self._paint(content, shares, Frozen())
        )

    def finer(self, picture: Tensor, photo: Tensor, shares: Tensor | None) -> Tensor:
        """The picture [B,3,h,w] at the size of `photo` [B,3,H,W], with the detail that the network adds."""
        size = (photo.shape[-2], photo.shape[-1])
        painted = self.paint(photo, shares)
        coarse = resized(resized(painted, (picture.shape[-2], picture.shape[-1])), size)
        return (resized(picture, size) + painted.sub_(coarse)).clamp_(0, 1)

    def canvas(
        self,
        photo: Tensor,
        shares: Tensor | None,
        steps: int,
        picture: Tensor | None,
        contrast: Tensor | None = None,
    ) -> TunedCanvas:
        """A canvas of the photo's size for `steps` steps. It shows `picture`, or what the network paints.

        contrast [1 or B,K]: the `fine_contrast` that the result gets, or None for as much as it has.
        """
        return TunedCanvas(self, photo, shares, steps, picture, contrast)

    def _paint(self, content: ContentCode, shares: Tensor | None, how: ForwardPass) -> Tensor:
        pictures = []
        for i, generator in enumerate(self.generators):
            own = content.picture(i)
            parts = [own.cut(generator(own, entry(code, i), how, self._noise)) for code in self.codes]
            if shares is not None:
                share = entry(shares, i)
                parts = [share[:, k : k + 1] * part for k, part in enumerate(parts)]
            pictures.append(torch.stack(parts).sum(0) if len(parts) > 1 else parts[0])
        return torch.cat(pictures)

    def _learn(self, paintings: Iterable[Tensor], gradient: Tensor, rate: float) -> None:
        """A step of the weights; `gradient` is that of the loss at each painting, which autograd follows."""
        # Pictures are tuned by themselves, and one whose gradient is not finite moves by momentum only.
        finite = torch.isfinite(gradient.flatten(1).sum(1))[:, None, None, None]
        gradient = torch.where(finite, gradient, torch.zeros_like(gradient))
        for weight in self._weights:
            weight.grad = None
        for painted in paintings:
            painted.backward(gradient)
        for weight, seen in zip(self._weights, self._in_order, strict=True):
            seen.grad = None if weight.grad is None else _in_order(weight.grad)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()


class TunedCanvas:
    """The picture while the network is tuned at one size. `picture` [B,3,H,W] has no gradients.

    It is the mean of two paintings whose cells begin elsewhere, at other places in every step (`_places`).
    The losses see little of a pattern that repeats in every cell, so strokes have to lower them.
    """

    def __init__(
        self,
        network: TunedNetwork,
        photo: Tensor,
        shares: Tensor | None,
        steps: int,
        picture: Tensor | None,
        contrast: Tensor | None,
    ):
        self._contrast = contrast
        self._network, self._photo, self._shares, self._steps = network, photo, shares, steps
        self._first, self._step = picture is None, 0
        self._keeps = photo.shape[0] * photo.shape[2] * photo.shape[3] <= _KEPT_PIXELS
        self._corner = grid_corner(photo)
        # What the network does not paint, it does not move: the picture differs from its own by this.
        self._rest = None if picture is None else picture - network.paint(photo, shares)
        self._pair = self._painted_pair(self._keeps)

    @property
    def picture(self) -> Tensor:
        return torch.stack([painted.detach() for painted in self._pair]).mean(0)

    def move(self, gradient: Tensor) -> None:
        """One step; `gradient` [B,3,H,W] is that of the loss at `picture`."""
        self._network._learn(self._followed(), gradient / len(self._pair), self._rate())
        self._step += 1
        self._pair = self._painted_pair(self._keeps)

    def finished(self, average: Tensor) -> Tensor:
        """`average`, the mean of the last pictures, without the pattern of the network's grid.

        The mean over the grid's places is soft, so its fine detail is made as strong as the paintings' is.
        """
        smooth = self._network.paint(self._photo, self._shares)
        if self._rest is not None:
            smooth = (smooth + self._rest).clamp_(0, 1)
        # The last pictures had their grids at other places, and a mean over a cell takes these patterns away.
        result = (smooth + _mean_of_cells(average - self.picture)).clamp_(0, 1)
        return result if self._contrast is None else with_fine_contrast(result, self._contrast, self._shares)

    def _followed(self) -> Iterator[Tensor]:
        """The two of this step, for autograd to follow; one after the other where memory is short."""
        for k in range(2):
            yield self._pair[k] if self._keeps else self._paint(k, True)

    def _painted_pair(self, with_graph: bool) -> list[Tensor]:
        return [self._paint(k, with_graph) for k in range(2)]

    def _paint(self, k: int, with_graph: bool) -> Tensor:
        """With the grid at the first or second place of this step, [B,3,H,W]."""
        place = _places(self._step)[k]
        with torch.no_grad():
            content = self._network.gan.encode_content(self._photo, corner=(self._corner + place) % GRID)
        with torch.set_grad_enabled(with_graph):
            how = Trained() if with_graph else Frozen()
            painted = self._network._paint(content, self._shares, how)
            # The losses see what the picture will be: contrast beyond black and white is not contrast.
            return (painted if self._rest is None else painted + self._rest).clamp(0, 1)

    def _rate(self) -> float:
        rising = min(1.0, (self._step + 1) / _WARM_UP)
        falling = min(1.0, max(0.1, (self._steps - self._step) / (_FALL * self._steps)))
        return _RATE * rising * falling * (1.0 if self._first else _LATER_RATE)


def _places(step: int) -> tuple[Tensor, Tensor]:
    """Where the grids of a step's two paintings begin, [2] each.

    The mean of two keeps the patterns that repeat over the distance of their grids: stripes along a diagonal
    where both numbers are 2. So the distance is another one in each step.
    """
    down, right = divmod(4 * step % 9, 3)
    first = PLACES[step % len(PLACES)]
    return first, first + torch.tensor([1 + down, 1 + right], device="cpu")


def _mean_of_cells(picture: Tensor) -> Tensor:
    """Each pixel as the mean of a cell around it, [B,3,H,W]: what repeats in every cell is gone."""
    before, after = (GRID - 1) // 2, GRID // 2
    padded = F.pad(picture, (before, after, before, after), mode="replicate")
    return F.avg_pool2d(padded, GRID, 1)


def _code(gan: StyleGAN, mixture: Mixture) -> Tensor:
    """The mean of the paintings' style codes by their weights, [1 or B,L,D]."""
    codes = [gan.encode_style(painting) for painting in mixture.paintings]
    batch = max(map(len, codes))
    weighted = [w * repeated(code, batch) for w, code in zip(mixture.weights, codes, strict=True)]
    return torch.stack(weighted).sum(0)


def _in_order(tensor: Tensor) -> Tensor:
    """A view of the same numbers whose dimensions are in the order of the memory, which is channels_last."""
    return tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor
