"""Refine: optimise a picture on the loss network until it has the paintings' strokes (Gatys 2016).

What moves is every pixel, towards the paintings' places most like it (`nearest.py`), or the network that
paints (`tuned_network.py`), or every pixel for statistics of the whole paintings (`objective.py`). Coarse to
fine (Gatys 2017): large shapes and strokes form at a small size, where a step is cheap and the loss network
sees far; each size starts from the one before, with the detail that the first picture or the network has
there. The result is a moving average of the last pictures.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..base.counts import counted
from ..base.seeds import check_seed
from ..base.settings import as_list, check_function, check_type
from ..models.devices import own_defaults
from ..models.memory import is_out_of_memory, release_cache
from ..models.perception.vgg import LossNetwork, loss_dtype
from ..models.style_gan import StyleGAN
from .calm_grounds import calm_of, with_calm_grounds
from .candidates import likeness_to
from .canvas import Canvas, PixelCanvas
from .colors import with_colors_of
from .errors import RefineError
from .fine_contrast import fine_contrast
from .first_picture import (
    with_first_contrast,
    with_first_detail,
    with_first_masses,
    with_first_where_unlike,
    without_new_marks,
)
from .lbfgs import HISTORY
from .nearest import GRIDS, NearestObjective
from .objective import Objective
from .options import Pass, RefineOptions
from .pyramid_canvas import PyramidCanvas
from .refine_step import OnStep, Step
from .sources import Region, Sources, resized
from .tiles import SMALLEST_TILE, side_that_fits
from .tuned_network import TunedNetwork

# A painting has no fine strokes if it is read at more than this many times its own size.
_ENLARGED = 1.5

# How much of the first picture's detail comes back, at a `content_weight` of 1, and of its masses, at a
# `keep_colors` of 1. Most of that picture is the photo, whose detail is no paint.
_DETAIL, _MASSES = 0.5, 1 / 90

# Pictures of this side and more are compared with the paintings at half their size.
_HALVED = 128

# How calm plain grounds get in the end, at a `keep_calm` of 1, where places took after the paintings' own.
_NEAREST_CALM = 0.5


@own_defaults()
def refine(
    start: Tensor | None,
    photo: Tensor,
    paintings: Tensor | Sequence[Tensor],
    weights: Sequence[float] | None = None,
    options: RefineOptions | None = None,
    on_step: OnStep | None = None,
    *,
    regions: Sequence[Region] = (),
    network: LossNetwork | None = None,
    gan: StyleGAN | None = None,
    seed: int = 0,
    on_tile: Callable[[], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Tensor:
    """The photo in the strokes of the paintings: [B,3,H,W] in 0..1, of the photo's size and on its device.

    start: the picture to begin with, such as the network's, or None for the photo itself. photo: what must
    stay recognisable; both [1 or B,3,H,W] in 0..1. paintings: one [1 or B,3,h,w] of any size or several
    whose statistics are averaged with `weights` (equal without). regions: other paintings for parts of the
    picture. network: a loss network on the photo's device; without it one is loaded. gan: the network to
    tune a copy of, on any device; without it the one that ships is loaded. seed: that of its strokes.

    on_step is called after every step; if it returns something true, refining ends with the picture so far.
    on_tile is called before each tile of a large picture, several times a step. An error from either ends
    refining. on_note gets sentences for the user, such as that tiles shrink because memory ran out.

    Raises ValueError for inputs that do not fit, RefineError if the losses are not finite, and PyTorch's
    error if even the smallest tiles, or a step without a history, do not fit into memory.
    """
    options = RefineOptions() if options is None else options
    if not isinstance(options, RefineOptions):
        raise ValueError(f"options are of the type {type(options).__name__}; give RefineOptions.")
    check_seed(seed)
    regions = as_list(regions, Region, "regions")
    if network is not None:
        check_type("network", network, LossNetwork)
    if gan is not None:
        check_type("gan", gan, StyleGAN)
    for name, function in (("on_step", on_step), ("on_tile", on_tile), ("on_note", on_note)):
        check_function(name, function)
    # ComfyUI runs nodes in inference mode, which has no gradients.
    with torch.inference_mode(False), torch.no_grad():
        sources = Sources(start, photo, paintings, weights, regions, options)
        if network is None:
            network = LossNetwork(dtype=loss_dtype(options.dtype, photo.device)).to(photo.device)
        elif any(weight.is_inference() for weight in network.parameters()):
            # One that was made in inference mode has no gradients; its copy has.
            network = copy.deepcopy(network)
        tuned = None
        if options.optimize == "network":
            tuned = TunedNetwork(gan or StyleGAN.default(), sources.mixtures, len(sources.photo), seed)
        picture = _Refinement(sources, options, network, tuned, on_step, on_tile, on_note).picture()
        own = (..., slice(sources.size[0]), slice(sources.size[1]))
        return with_colors_of(sources.photo[own], picture[own], options.preserve_color)


class _Refinement:
    """One call of `refine`."""

    def __init__(
        self,
        sources: Sources,
        options: RefineOptions,
        network: LossNetwork,
        tuned: TunedNetwork | None,
        on_step: OnStep | None,
        on_tile: Callable[[], None] | None,
        on_note: Callable[[str], None] | None,
    ):
        self.sources, self.options, self.network, self.tuned = sources, options, network, tuned
        self.on_step, self.on_tile, self.on_note = on_step, on_tile, on_note
        height, width = sources.photo.shape[-2:]
        self.passes = options.passes(height, width)
        self.steps = sum(each.steps for each in self.passes)
        self.work = sum(each.work for each in self.passes)
        self.step, self.work_done = 0, 0
        self.largest_tile: int | None = None
        self.history = HISTORY
        self.began = time.monotonic()

    def picture(self) -> Tensor:
        """The refined picture, [B,3,H,W] in 0..1."""
        enlargement = self.sources.enlargement()
        if enlargement > _ENLARGED:
            self._note(
                f"A painting is read at {enlargement:.1f} times its own size; "
                "a larger file of it or a smaller stroke_size gives sharper strokes."
            )
        first, *others = self.passes
        picture, stopped = self._refine(self._canvas(None, first), first)
        for each in others:
            if stopped:
                break
            picture, stopped = self._refine(self._canvas(picture, each), each)
        return self._finished(self._carried(picture, self.passes[-1].size))

    def _finished(self, picture: Tensor) -> Tensor:
        """The picture at its last size: its plain grounds as calm as the paintings' calm places, and what
        the paintings have nothing of, with masses and detail of the first picture."""
        options, size = self.options, self.passes[-1].size
        try:
            photo, shares = self.sources.photo_at(size), self.sources.shares_at(size)
            nearest = options.optimize == "nearest"
            calm = calm_of(self.sources.mixtures_at(size)) if options.keep_calm else None
            if calm is not None:
                amount = (_NEAREST_CALM if nearest else 1.0) * options.keep_calm
                picture = with_calm_grounds(picture, photo, calm, shares, min(1.0, amount))
            if nearest:
                start = self.sources.start_at(size)
                picture = with_first_masses(picture, start, photo, _MASSES * options.keep_colors)
                picture = without_new_marks(picture, start, min(1.0, options.keep_calm))
                picture = with_first_contrast(picture, start, photo, shares)
                detail = _DETAIL * options.content_weight
                picture = with_first_detail(picture, start, photo, detail)
                if options.content_weight:
                    likeness, seen = self._likeness()
                    picture = with_first_where_unlike(picture, start, likeness, seen, min(1.0, detail))
                if calm is not None and options.keep_calm > 1:
                    # What came back may be lively, too.
                    amount = min(1.0, (options.keep_calm - 1) / 2)
                    picture = with_calm_grounds(picture, photo, calm, shares, amount)
            return picture
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            # All steps are done: the picture must not be lost for its last touch.
            error.__traceback__ = None
            release_cache(picture.device)
            self._note("Memory ran out after the last step: some of the picture stays as the steps left it.")
            return picture

    def _likeness(self) -> tuple[Tensor, tuple[int, int]]:
        """How like the paintings each place of the first picture is, cosines [B,1,h,w], and its size then.

        At half the size: places of it are strokes and features of a face, and take a quarter of the time.
        """
        height, width = self.passes[-1].size
        size = (-(-height // 2), -(-width // 2)) if min(height, width) >= _HALVED else (height, width)
        start, mixtures = self.sources.start_at(size), self.sources.mixtures_at(size)
        side = self._tile_side(size)
        while True:
            try:
                shares = self.sources.shares_at(size)
                return likeness_to(self.network, start, mixtures, shares, side, self.on_tile), size
            except Exception as error:
                side = self._smaller(side, error)

    def _canvas(self, picture: Tensor | None, each: Pass) -> Canvas:
        """What the steps at one size move; `picture` is that of the size before."""
        if self.tuned is None or not each.tuned:
            start = self.sources.start_at(each.size) if picture is None else self._carried(picture, each.size)
            if self.options.optimize == "nearest":
                return PyramidCanvas(start, each.steps)
            return PixelCanvas(start, self.history)
        photo, shares = self.sources.photo_at(each.size), self.sources.shares_at(each.size)
        carried = None if picture is None else self.tuned.finer(picture, photo, shares)
        try:
            contrast = fine_contrast(self.sources.mixtures_at(each.size))
            return self.tuned.canvas(photo, shares, each.steps, carried, contrast)
        except Exception as error:
            return self._by_pixels(self.tuned.paint(photo, shares) if carried is None else carried, error)

    def _by_pixels(self, picture: Tensor, error: Exception) -> Canvas:
        """The canvas to go on with, for an error that says that memory ran out; raises any other."""
        if not is_out_of_memory(error):
            raise error
        # The traceback holds the tensors of the failed step.
        error.__traceback__ = None
        release_cache(picture.device)
        when = " while the network was tuned" if self.tuned is not None else ""
        self._note(f"Memory ran out{when}: from here on, each pixel moves by itself.")
        return PixelCanvas(picture.clamp(0, 1), self.history)

    def _moved(self, canvas: Canvas, gradient: Tensor) -> Canvas:
        """The canvas after a step. If memory runs out, pixels step with a shorter history, and the network
        or the pyramid leaves the rest to the pixels, which have not moved yet."""
        while True:
            try:
                canvas.move(gradient)
                return canvas
            except Exception as error:
                if not isinstance(canvas, PixelCanvas):
                    return self._by_pixels(canvas.picture, error)
                self._remember_less(canvas, error)

    def _remember_less(self, canvas: PixelCanvas, error: Exception) -> None:
        """Shorten the history, for an error that says that memory ran out; raises any other."""
        if not is_out_of_memory(error) or not self.history:
            raise error
        self.history = canvas.remember_less()
        self._note(
            f"Memory ran out: L-BFGS now remembers {counted(self.history, 'step')}, so the strokes come more "
            "slowly."
        )
        # The traceback holds the tensors of the failed step.
        error.__traceback__ = None
        release_cache(canvas.picture.device)

    def _carried(self, picture: Tensor, size: tuple[int, int]) -> Tensor:
        """The picture at a larger size, with the finer detail that the network paints, or the first picture
        has, at that size."""
        here = (picture.shape[-2], picture.shape[-1])
        if here == size:
            return picture
        if self.tuned is not None:
            return self.tuned.finer(picture, self.sources.photo_at(size), self.sources.shares_at(size))
        detail = self.sources.start_at(size) - resized(self.sources.start_at(here), size)
        return (resized(picture, size) + detail).clamp_(0, 1)

    def _refine(self, canvas: Canvas, each: Pass) -> tuple[Tensor, bool]:
        """The picture after the steps at one size, and whether `on_step` ended refining."""
        objective = self._objective(canvas.picture)
        average = canvas.picture.clone()
        # Where grids take turns, all of them count as a step.
        memory = self.options.average ** (1 / len(GRIDS) if self.options.optimize == "nearest" else 1)
        # Step; the result is the moving average of the pictures.
        bad = torch.zeros((), device=average.device)
        for i in range(each.steps):
            losses, gradient = self._gradient(objective, canvas.picture)
            bad += ~torch.isfinite(losses["total"])
            canvas = self._moved(canvas, gradient)
            average.lerp_(canvas.picture, 1 - min(memory, i / (i + 1)))
            self.step += 1
            self.work_done += each.size[0] * each.size[1]
            if self.on_step and self.on_step(self._step(each, objective.side, losses, average)):
                return self._refined(canvas.finished(average)), True
        # Were the losses finite?
        if int(bad) == each.steps or not torch.isfinite(average).all():
            raise RefineError(
                "The losses are not finite, so there is no picture; lower the weights, or take dtype float32."
            )
        if bad:
            of_all = f"{int(bad)} of {counted(each.steps, 'step')}"
            self._note(f"{of_all} had a loss that is not finite; their gradients were left out.")
        return self._refined(canvas.finished(average)), False

    def _refined(self, picture: Tensor) -> Tensor:
        """The picture after the steps at one size. A cosine does not see how strong colours are."""
        return self.sources.in_start_colors(picture) if self.options.optimize == "nearest" else picture

    def _objective(self, picture: Tensor) -> Objective | NearestObjective:
        """The losses at the size of the picture [B,3,H,W] with which the steps begin."""
        size = (picture.shape[-2], picture.shape[-1])
        photo, mixtures = self.sources.photo_at(size), self.sources.mixtures_at(size)
        shares, start = self.sources.shares_at(size), self.sources.start_at(size)
        side = self._tile_side(size)
        while True:
            try:
                if self.options.optimize == "nearest":
                    return NearestObjective(
                        self.network,
                        picture,
                        start,
                        photo,
                        mixtures,
                        shares,
                        self.options,
                        side,
                        self.on_tile,
                        last=size == self.passes[-1].size,
                    )
                return Objective(
                    self.network, photo, mixtures, shares, self.options, side, self.on_tile, colors_from=start
                )
            except Exception as error:
                side = self._smaller(side, error)

    def _gradient(
        self, objective: Objective | NearestObjective, picture: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Losses and their gradient; if memory runs out, in smaller tiles."""
        while True:
            try:
                return objective.gradient(picture)
            except Exception as error:
                objective.side = self._smaller(objective.side, error)

    def _tile_side(self, size: tuple[int, int]) -> int:
        if self.options.tile:
            return self.options.tile
        photo = self.sources.photo
        side = side_that_fits(size, len(photo), photo.device, self.network.dtype)
        return min(side, self.largest_tile or side)

    def _smaller(self, side: int, error: Exception) -> int:
        """The side of smaller tiles, for an error that says that memory ran out; raises any other."""
        if not is_out_of_memory(error) or side <= SMALLEST_TILE:
            raise error
        side = max(SMALLEST_TILE, min(side, max(self.sources.photo.shape[-2:])) // 16 * 8)
        self.largest_tile = side
        self._note(f"Memory ran out: the picture is now refined in tiles of {side} pixels.")
        # The traceback holds the tensors of the failed step.
        error.__traceback__ = None
        release_cache(self.sources.photo.device)
        return side

    def _note(self, sentence: str) -> None:
        if self.on_note:
            self.on_note(sentence)

    def _step(self, each: Pass, side: int, losses: dict[str, Tensor], average: Tensor) -> Step:
        seconds = (time.monotonic() - self.began) / self.work_done * (self.work - self.work_done)
        height, width = self.sources.size
        whole = self.sources.photo.shape[-2:]
        # Without the border that very small photos get.
        inside = (max(1, each.size[0] * height // whole[0]), max(1, each.size[1] * width // whole[1]))
        return Step(self.step, self.steps, inside, seconds, side, losses, average)
