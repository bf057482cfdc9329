"""The loss that keeps plain grounds plain: by hand, and against its formula in float64 NumPy."""

from __future__ import annotations

import math

import numpy as np
import torch
from plain_grounds import ground_loss
from small_tensors import close, doubles

from brushwork.models.perception.pixel_losses import ground_limits, plain_steps
from brushwork.painting.pixel_gradient import pixel_losses


class TestByHand:
    @staticmethod
    def plain(side, value=0.5):
        return torch.full((1, 3, side, side), value)

    @staticmethod
    def grain(side, size, seed=0):
        """Noise with a deviation of `size`, the same in every channel."""
        return size * torch.randn(side, side, generator=torch.Generator().manual_seed(seed))

    def test_ground_counts_contrast_that_neither_photo_nor_painting_has(self):
        # In 16 x 16 cells of 2, 4 and 8 pixels fit, one every half cell. Of the 14 steps across of cells of 2
        # one meets the edge whole and two by half, of the 6 of cells of 4 and of the 1 of cells of 8 alike.
        photo, image = self.plain(16), self.plain(16)
        image[..., 8:] += 0.2
        step = 0.2 * math.sqrt(3)
        loss = ground_loss(image, photo, self.plain(64))
        steps = {13: [step, step / 2, step / 2], 5: [step, step / 2, step / 2], 1: [step]}
        assert close(loss, sum(sum(found) / count for count, found in steps.items()) / 6, 1e-3)
        # 1.5 times the photo's contrast is free.
        assert ground_loss(0.5 + (image - 0.5) * 1.5, image, self.plain(64)) < 1e-6
        # Where no two cells fit, it costs nothing.
        narrow, gradient = image[..., 6:9], torch.zeros(1, 3, 16, 3)
        limits = ground_limits(photo[..., 6:9], plain_steps(self.plain(64)))
        assert pixel_losses(narrow, gradient, limits, {"ground": 1.0}) == {}
        assert not gradient.any()

    def test_the_ground_may_have_the_grain_of_the_paintings_plain_grounds(self):
        photo, painting = self.plain(96), self.plain(96)
        image = photo + self.grain(96, 0.01)
        grained = float(ground_loss(image, photo, painting))
        assert grained > 0.002
        # With such a grain in half of the painting, its plainest third is still smooth; with it all over, the
        # third's largest step is what is free; and ten times as strong it frees all.
        painting[..., :48] += self.grain(96, 0.01, 1)[:, :48]
        assert close(ground_loss(image, photo, painting), grained, 0.1)
        assert 0.1 * grained < ground_loss(image, photo, photo + self.grain(96, 0.01, 1)) < 0.7 * grained
        assert ground_loss(image, photo, photo + self.grain(96, 0.1, 1)) < 1e-6

    def test_the_ground_of_each_picture_is_compared_with_its_own_painting(self):
        photo, weave = (
            self.plain(32),
            0.1 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)),
        )
        image, smooth, woven = photo + weave, self.plain(32), photo + weave
        single = [float(ground_loss(image, photo, painting)) for painting in (smooth, woven)]
        both = ground_loss(torch.cat([image] * 2), torch.cat([photo] * 2), torch.cat([smooth, woven]))
        assert single[0] > single[1]
        assert close(both, sum(single) / 2)

    def test_what_the_ground_is_free_to_do_in_the_large(self):
        # To cells of 16 pixels an edge of 0.025 is free, and too much for those of 32; the painting is as
        # strong in the small.
        flat, image = self.plain(64), self.plain(64)
        image[..., 32:] += 0.025 / math.sqrt(3)
        busy = self.plain(64) + self.grain(64, 0.5)
        part = (..., slice(16, 48), slice(16, 48))
        assert ground_loss(image[part], flat[part], busy) == 0
        # Cells of 2 to 32, two directions each: of these ten, only 32 across is above its 0.02.
        assert close(ground_loss(image, flat, busy), (0.025 - 0.02) / 10, 1e-3)
        # A soft gradient may become one of four times its height, not of eight.
        sky = torch.linspace(-0.05, 0.05, 256).expand(1, 3, 256, 256)
        assert ground_loss(0.5 + 4 * sky, 0.5 + sky, busy) == 0
        assert ground_loss(0.5 + 8 * sky, 0.5 + sky, busy) > 0.01


def test_against_the_formula():
    x, c = doubles(2, 3, 128, 96, seed=8), doubles(2, 3, 128, 96, seed=9)
    s = doubles(2, 3, 80, 72, seed=10) / 4

    def steps(f, cell, axis):
        # Mean colours of overlapping cells, a full cell apart: [step, cell, picture].
        height, width = f.shape[2:]
        half = max(1, cell // 2)
        means = [
            [np.mean(f[:, :, i : i + cell, j : j + cell], (2, 3)) for j in range(0, width + 1 - cell, half)]
            for i in range(0, height + 1 - cell, half)
        ]
        means = np.moveaxis(np.array(means), axis, 0)
        return np.linalg.norm(means[2:] - means[:-2], axis=-1)

    def excess(k, axis, gain, free):
        of_x, of_c, of_s = (steps(f.numpy(), k, axis) for f in (x, c, s))
        if free is None:
            free = np.quantile(of_s.reshape(-1, 2), 1 / 3, axis=0)
        return np.mean(np.maximum(0, of_x - gain * of_c - free))

    cells = ((2, 2, None), (4, 2, None), (8, 1.5, None), (16, 1.5, 0.03), (32, 4, 0.02))
    expected = np.mean([excess(k, axis, gain, free) for k, gain, free in cells for axis in (0, 1)])
    assert close(ground_loss(x, c, s), expected, 1e-6)
