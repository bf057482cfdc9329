"""What a network learns about its style codes from paintings."""

from __future__ import annotations

from pathlib import Path

from many_paintings import many_paintings

from brushwork.models import StyleGAN
from brushwork.models.perception.statistics import color_moments
from brushwork.pictures.tensors import load_square
from brushwork.training.painter import copy_network, fit_to_codes


def test_the_colours_of_paintings_that_took_no_part(gan: StyleGAN, inputs_dir: Path, tmp_path: Path):
    own = copy_network(gan).eval().requires_grad_(False)
    own.set_colors(None)
    seen = many_paintings(gan, sorted(inputs_dir.glob("photo-*.jpg")), tmp_path)
    fit_to_codes(own, seen, side=64)
    assert own.space is not None
    assert own.space.count == len(seen) == 120
    assert own.config.color_numbers == 9
    # The paintings that ship are nothing that a network has painted.
    for path in sorted(inputs_dir.glob("art-*.jpg")):
        picture = load_square(path, 64)
        mean, covariance = color_moments(picture)
        found = own.generator.colors(own.encode_style(picture))
        assert (found.mean - mean).abs().max() < 0.08, path.name
        assert (found.covariance - covariance).abs().max() < 0.03, path.name
