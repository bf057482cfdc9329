"""Refining in trouble: memory that runs out, losses that are not finite, and inputs that do not fit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from brushwork.models.perception.vgg import LossNetwork
from brushwork.painting.errors import RefineError
from brushwork.painting.lbfgs import HISTORY, LBFGS
from brushwork.painting.options import RefineOptions
from brushwork.painting.refine import refine
from brushwork.painting.sources import Region

pytestmark = pytest.mark.usefixtures("slim_loss_network")

QUICK = RefineOptions(optimize="pixels", quality="draft", steps=4, dtype="float32")


class SmallNetwork(LossNetwork):
    """As on a device whose memory holds 100 x 100 pixels."""

    def forward(self, image):
        if image.shape[-2] * image.shape[-1] > 100 * 100:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return super().forward(image)


def test_tiles_shrink_when_memory_runs_out(slim_network, photo_of):
    notes, sides = [], []
    photo, painting = photo_of(75, 144), photo_of(80, 80, seed=1)
    options = RefineOptions(optimize="pixels", steps=2, dtype="float32")
    refined = refine(
        None,
        photo,
        painting,
        None,
        options,
        lambda step: sides.append(step.tile) and None,
        network=SmallNetwork(),
        on_note=notes.append,
    )
    assert sides == [72, 72]
    assert notes == ["Memory ran out: the picture is now refined in tiles of 72 pixels."]
    whole = refine(None, photo, painting, None, options, network=slim_network)
    assert float((refined - whole).abs().mean()) < 1e-4


def test_a_history_that_does_not_fit_is_shortened_once(slim_network, photo_of, monkeypatch):
    """As on a device whose memory holds two pairs of L-BFGS: they stay, and the note says what happened."""
    pairs, notes, steps = [], [], 8
    propose = LBFGS._direction

    def direction(optimizer: LBFGS, gradient: Tensor) -> Tensor:
        if len(optimizer._pairs) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        pairs.append(len(optimizer._pairs))
        return propose(optimizer, gradient)

    def refined(history: int) -> Tensor:
        monkeypatch.setattr("brushwork.painting.refine.HISTORY", history)
        options = RefineOptions(optimize="pixels", quality="draft", steps=steps, dtype="float32")
        return refine(
            None, photo_of(), photo_of(seed=1), None, options, network=slim_network, on_note=notes.append
        )

    short = refined(2)
    monkeypatch.setattr(LBFGS, "_direction", direction)
    found = refined(HISTORY)
    assert notes == ["Memory ran out: L-BFGS now remembers 2 steps, so the strokes come more slowly."]
    assert pairs == [0, 1, *[2] * (steps - 2)]
    assert torch.equal(found, short), "no pair is lost or kept twice"


def test_after_the_last_step_no_picture_is_lost(slim_network, photo_of, monkeypatch):
    """As on a device that is full then: the picture of the steps is the result."""
    notes = []
    photo, painting = photo_of(64, 64), photo_of(64, 64, seed=1)

    def refined(keep_calm: float) -> Tensor:
        options = RefineOptions(optimize="pixels", steps=1, dtype="float32", keep_calm=keep_calm)
        return refine(None, photo, painting, None, options, network=slim_network, on_note=notes.append)

    def full(*_: object) -> Tensor:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    calmed = refined(1.0)
    monkeypatch.setattr("brushwork.painting.calm_grounds._guided", full)
    found = refined(1.0)
    assert notes == ["Memory ran out after the last step: some of the picture stays as the steps left it."]
    assert found.shape == calmed.shape
    assert bool(torch.isfinite(found).all())
    assert not torch.equal(found, calmed)


def test_a_step_that_never_fits_is_an_error(slim_network, photo_of, monkeypatch):
    def fail(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    notes = []
    monkeypatch.setattr(LBFGS, "_direction", fail)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        refine(None, photo_of(), photo_of(seed=1), None, QUICK, network=slim_network, on_note=notes.append)
    assert [note.split()[6] for note in notes] == ["2", "1", "0"]


def test_memory_for_nothing_at_all_is_an_error(photo_of):
    class NoMemory(LossNetwork):
        def forward(self, image):
            raise MemoryError("no memory")

    with pytest.raises(MemoryError):
        refine(None, photo_of(), photo_of(seed=1), None, QUICK, network=NoMemory())


def test_losses_that_are_not_finite_are_one_sentence(photo_of):
    class Overflowing(LossNetwork):
        def forward(self, image):
            return {name: maps * torch.inf for name, maps in super().forward(image).items()}

    with pytest.raises(RefineError, match="not finite"):
        refine(None, photo_of(), photo_of(seed=1), None, QUICK, network=Overflowing())


def test_a_single_step_that_is_not_finite_changes_nothing(photo_of):
    class OnceOverflowing(LossNetwork):
        calls = 0

        def forward(self, image):
            self.calls += image.requires_grad
            factor = torch.inf if self.calls == 4 else 1
            return {name: maps * factor for name, maps in super().forward(image).items()}

    notes = []
    refined = refine(
        None, photo_of(), photo_of(seed=1), None, QUICK, network=OnceOverflowing(), on_note=notes.append
    )
    assert refined.shape == (1, 3, 32, 40)
    assert torch.isfinite(refined).all()
    assert 0 <= float(refined.min()) <= float(refined.max()) <= 1
    assert notes == ["1 of 4 steps had a loss that is not finite; their gradients were left out."]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"photo": torch.zeros(3, 20, 20)}, r"photo has the shape \[3, 20, 20\]"),
        ({"photo": torch.zeros(1, 4, 20, 20)}, r"photo has the shape \[1, 4, 20, 20\]"),
        ({"photo": torch.full((1, 3, 20, 20), torch.nan)}, "photo has values that are not finite"),
        ({"start": torch.zeros(1, 3, 20, 21)}, "start has 21 x 20 pixels and photo 20 x 20"),
        (
            {"start": torch.zeros(2, 3, 20, 20), "photo": torch.zeros(3, 3, 20, 20)},
            "start has 2 pictures",
        ),
        ({"paintings": []}, "There is no painting"),
        ({"paintings": torch.zeros(2, 3, 9, 9)}, "painting is a batch of 2 for 1 photo;"),
        (
            {"paintings": [torch.zeros(1, 3, 9, 9)] * 2, "weights": [1.0]},
            "weights has 1 number for 2 paintings",
        ),
        ({"weights": [0.0]}, "weights are 0; give numbers of 0 or more"),
        ({"weights": [float("nan")]}, "weights are nan; give numbers of 0 or more"),
        ({"weights": ["a"]}, "weights are nan; give numbers of 0 or more"),
        ({"photo": None}, "photo is of the type NoneType; give a tensor"),
        ({"start": [1]}, "start is of the type list; give a tensor"),
        ({"paintings": None}, "painting is of the type NoneType; give a tensor"),
        ({"regions": [Region(None, torch.zeros(1, 3, 9, 9))]}, "mask is of the type NoneType"),
        (
            {"regions": [Region(torch.zeros(20, 20), torch.zeros(1, 3, 9, 9))]},
            r"mask has the shape \[20, 20\]",
        ),
        (
            {"regions": [Region(torch.full((1, 20, 20), torch.inf), torch.zeros(1, 3, 9, 9))]},
            "mask has values that are not finite",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_one_sentence(slim_network, change, sentence):
    inputs = {"start": None, "photo": torch.zeros(1, 3, 20, 20), "paintings": torch.zeros(1, 3, 9, 9)}
    with pytest.raises(ValueError, match=sentence):
        refine(**(inputs | change), options=QUICK, network=slim_network)


class Overflowing(LossNetwork):
    overflows = False

    def layers(self, image):
        for name, values in super().layers(image):
            yield name, values * torch.inf if self.overflows else values


def test_features_that_are_not_finite_at_the_end_lose_nothing(photo_of):
    network = Overflowing()

    def overflow(step):
        network.overflows = step.step == step.steps

    found = refine(
        None,
        photo_of(64, 64),
        photo_of(64, 64, seed=1),
        None,
        RefineOptions(steps=4, dtype="float32"),
        overflow,
        network=network,
    )
    assert network.overflows
    assert torch.isfinite(found).all()
