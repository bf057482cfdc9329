"""What the memory allows: whole pictures, tiles, smaller tiles, the CPU."""

from __future__ import annotations

import pytest
import torch

from brushwork.painting import tile_size
from brushwork.painting.options import RefineOptions
from brushwork.painting.styles import PaintingStyle, RandomStyle
from brushwork.painting.stylizer import StylizeOptions, Stylizer
from brushwork.painting.tile_size import Plan, first_that_fits, make_plans, network_on
from brushwork.pictures.tensors import as_picture

pytestmark = pytest.mark.usefixtures("slim_loss_network")

CPU = torch.device("cpu")
STYLE = RandomStyle(3)


@pytest.fixture(scope="module")
def small(photo):
    """A photo of odd size, [1,3,157,131]."""
    return photo[:, :, :157, :131].contiguous()


def test_what_fits_is_painted_whole(monkeypatch):
    monkeypatch.setattr(tile_size, "free_memory", lambda device: 170 * 100 * 200)
    assert make_plans((100, 200), CPU)[0] == Plan(CPU, 0)
    assert make_plans((101, 200), CPU)[0].tile


def test_tiles_get_smaller_and_at_last_the_cpu_paints(monkeypatch):
    free = {"cuda": 0, "cpu": 2**40}
    monkeypatch.setattr(tile_size, "free_memory", lambda device: free[device.type])
    plans = make_plans((5000, 7000), torch.device("cuda"))
    on_gpu = [plan.tile for plan in plans if plan.device.type == "cuda"]
    assert on_gpu == [3584, 1792, 896, 448, 224, 112]
    assert plans[len(on_gpu)] == Plan(CPU, 0)
    assert [plan.tile for plan in plans[len(on_gpu) + 1 :]] == [669, 334, 167, 83]


def test_a_side_that_the_user_wants_is_kept():
    assert [plan.tile for plan in make_plans((300, 400), CPU, 128)] == [128, 64]
    assert [plan.tile for plan in make_plans((300, 400), CPU, 400)] == [0, 346, 173, 86]


def test_every_plan_but_the_first_is_told():
    tried, told = [], []

    def work(plan):
        tried.append(plan)
        if len(tried) < 3:
            raise MemoryError
        return "done"

    plans = [Plan(torch.device("cuda"), 0), Plan(torch.device("cuda"), 1792), Plan(CPU, 640), Plan(CPU, 320)]
    assert first_that_fits(plans, work, told.append) == "done"
    assert tried == plans[:3]
    assert told == [
        "Memory ran out: the picture is now painted on cuda in tiles of 1792 pixels.",
        "Memory ran out: the picture is now painted on the CPU in tiles of 640 pixels.",
    ]


def test_other_errors_and_the_last_plan_are_not_hidden():
    def fail(error):
        def work(plan):
            raise error

        return work

    with pytest.raises(RuntimeError, match="a bug"):
        first_that_fits(make_plans((300, 400), CPU, 64), fail(RuntimeError("a bug")))
    with pytest.raises(MemoryError):
        first_that_fits(make_plans((300, 400), CPU, 64), fail(MemoryError()))


@pytest.mark.parametrize("tile", [-1, 1, 63])
def test_a_tile_that_is_too_small_is_refused(gan, tile):
    with pytest.raises(ValueError, match=f"tile is {tile}; give 64 pixels or more, or 0"):
        Stylizer(gan, tile=tile)


@pytest.mark.parametrize("preserve_color", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_in_tiles_as_in_one_piece(gan, small, strength, preserve_color):
    options = StylizeOptions(strength, preserve_color, seed=9)
    whole = Stylizer(gan, options).paint(small, STYLE)
    tiled = Stylizer(gan, options, tile=64).paint(small, STYLE)
    differences = (tiled - whole).abs()
    # Histogram matches ranks: at a gap in the photo's light, a pixel may land on the other side.
    assert (differences > 1 / 255).float().mean() <= (1e-4 if preserve_color == "histogram" else 0)
    assert differences.max() < 4 / 255
    assert differences.mean() < 1e-4


def test_memory_that_runs_out_makes_tiles_smaller(gan, small, monkeypatch):
    """The allocator refuses maps as large as the whole picture's, then those of the first tiles."""
    expected = Stylizer(gan).paint(small, STYLE)
    real = gan.content_encoder.stem.forward
    sizes = []

    def forward(x, **borders):
        sizes.append(x.shape[2])
        if x.shape[2] > 20:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory")
        return real(x, **borders)

    monkeypatch.setattr(gan.content_encoder.stem, "forward", forward)
    told = []
    found = Stylizer(gan).paint(small, STYLE, on_note=told.append)
    torch.testing.assert_close(found, expected, rtol=0, atol=1 / 255)
    assert told == [
        "Memory ran out: the picture is now painted on the CPU in tiles of 143 pixels.",
        "Memory ran out: the picture is now painted on the CPU in tiles of 71 pixels.",
    ]
    assert sizes[:2] == [40, 40]
    assert max(sizes[2:]) <= 20


@pytest.mark.parametrize(("optimize", "share", "mean"), [("network", 0.0, 1e-3), ("nearest", 0.03, 0.02)])
def test_refining_starts_from_a_painting_in_tiles(gan, small, artwork, tmp_path, optimize, share, mean):
    as_picture(artwork).save(tmp_path / "art.png")
    style = PaintingStyle(tmp_path / "art.png")
    options = StylizeOptions(refine=RefineOptions("draft", steps=2, optimize=optimize))
    tiled = Stylizer(gan, options, tile=64).paint(small, style)
    whole = Stylizer(gan, options).paint(small, style)
    # Optimising enlarges rounding errors in a few pixels; of two places equally near, rounding chooses.
    assert float(((tiled - whole).abs() > 0.03).float().mean()) <= share
    assert (tiled - whole).abs().mean() < mean


def test_a_network_is_copied_to_another_device_only(gan):
    assert network_on(gan, CPU) is gan
    drawn = torch.get_rng_state()
    copy = network_on(gan, torch.device("meta"))
    assert torch.equal(torch.get_rng_state(), drawn), "what others draw next has changed"
    assert {name: value.shape for name, value in copy.state_dict().items()} == {
        name: value.shape for name, value in gan.state_dict().items()
    }
    assert next(copy.parameters()).device.type == "meta"
    assert next(gan.parameters()).device == CPU
