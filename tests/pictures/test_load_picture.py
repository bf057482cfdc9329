"""Pictures read at a size, and rounded as files hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.pictures.tensors import as_picture, as_tensor, load_picture, rounded


def test_pictures_survive_the_way_to_8_bits_and_back():
    image = torch.tensor([-0.5, 0.0, 0.2, 0.501, 1.0, 1.5]).expand(1, 3, 2, 6)
    assert torch.equal(as_tensor(as_picture(image)), rounded(image))
    # 0.2 * 255 = 51 and 0.501 * 255 = 127.755.
    assert (rounded(image)[0, 0, 0] * 255).round().tolist() == [0, 0, 51, 128, 255, 255]


@pytest.mark.parametrize(("shorter", "size"), [(40, (60, 40)), (200, (300, 200))])
def test_the_whole_picture_in_proportion(tmp_path: Path, shorter: int, size: tuple[int, int]) -> None:
    ramp = np.linspace(0, 255, 90).astype(np.uint8)
    picture = Image.fromarray(np.repeat(ramp[None, :, None], 60, 0).repeat(3, 2))
    picture.save(tmp_path / "ramp.png")
    loaded = load_picture(tmp_path / "ramp.png", shorter)
    assert loaded.shape == (1, 3, size[1], size[0])
    assert torch.equal(loaded, load_picture(picture, shorter))
    assert loaded[0, 0, 0, 0] < 0.02
    assert loaded[0, 0, 0, -1] > 0.98
    assert (loaded[0, 0, 0].diff() >= -0.01).all()
