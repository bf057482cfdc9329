"""What is no picture, code, mask or number: every function of the Python API refuses it in one sentence."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from brushwork.models.codes import interpolate_styles, mix_styles
from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.regions import StyleRegion, feather_mask
from brushwork.models.style_file import (
    CheckpointError,
    StyleFile,
    content_fingerprint,
    read_style,
    style_fingerprint,
    write_style,
)
from brushwork.models.style_gan import StyleGAN
from brushwork.models.thumbnail import paint_thumbnail
from brushwork.models.video.steady import SteadyVideo
from brushwork.painting.refine import refine
from brushwork.painting.sources import Region

VALUES = {
    "None": None,
    "a text": "3",
    "a list": [1, 2],
    "a dictionary": {},
    "an object": object(),
    "NaN": math.nan,
    "infinite": math.inf,
    "below 0": -1,
    "a very large number": 10**400,
    "complex": 1j,
    "an array": np.ones((1, 3, 8, 8), np.float32),
    "without values": torch.empty(1, 3, 8, 8, device="meta"),
    "sparse": torch.eye(8).expand(1, 3, 8, 8).to_sparse(),
    "compressed": torch.eye(8).to_sparse_csr(),
    "nested": torch.nested.nested_tensor([torch.ones(3), torch.ones(4)]),
    "empty": torch.empty(0),
    "whole numbers": torch.ones(1, 3, 8, 8, dtype=torch.int),
    "not finite": torch.full((1, 3, 8, 8), math.nan),
}


@pytest.fixture(scope="module")
def calls(frozen_tiny, tmp_path_factory):
    """Functions of one argument, which gets what is wrong."""
    gan, image, mask = frozen_tiny, torch.rand(1, 3, 16, 16), torch.ones(1, 4, 4)
    content, code = gan.encode_content(image), gan.encode_style(image)
    path = tmp_path_factory.mktemp("styles") / "a.safetensors"

    loss_network = LossNetwork()

    def generate(**changes):
        return gan.generate(**{"content": content, "code": code, **changes})

    def refined(**changes):
        given = {"start": None, "photo": image, "paintings": image, "network": loss_network, "gan": gan}
        return refine(**given | changes)

    return {
        "encode_content": gan.encode_content,
        "encode_content, corner": lambda v: gan.encode_content(
            image, corner=torch.ones(2) if v is None else v
        ),
        "encode_style": gan.encode_style,
        "encode_style, size": lambda v: gan.encode_style(image, size=0 if v is None else v),
        "encode_style, stroke_size": lambda v: gan.encode_style(image, stroke_size=v),
        "generate, content": lambda v: generate(content=v),
        "generate, code": lambda v: generate(code=v),
        "generate, strength": lambda v: generate(strength=v),
        "generate, seed": lambda v: generate(seed=v),
        "generate, regions": lambda v: generate(regions=v),
        "generate, a region": lambda v: generate(regions=[v]),
        "generate, own": lambda v: generate(strength=0.5, own="" if v is None else v),
        "a region's code": lambda v: generate(regions=[StyleRegion(v, mask)]),
        "a region's mask": lambda v: generate(regions=[StyleRegion(code, v)]),
        "mix_styles": mix_styles,
        "mix_styles, a code": lambda v: mix_styles([code, v]),
        "mix_styles, weights": lambda v: mix_styles([code, code], "" if v is None else v),
        "mix_styles, a weight": lambda v: mix_styles([code, code], [1, v]),
        "mix_styles, structure_from_first": lambda v: mix_styles([code, code], structure_from_first=v),
        "interpolate_styles": lambda v: interpolate_styles(v, 3),
        "interpolate_styles, a code": lambda v: interpolate_styles([code, v], 3),
        "interpolate_styles, count": lambda v: interpolate_styles([code, code], v),
        "feather_mask": lambda v: feather_mask(v, 3),
        "feather_mask, feather": lambda v: feather_mask(mask, v),
        "SteadyVideo, count": lambda v: SteadyVideo(gan, v),
        "SteadyVideo, window": lambda v: SteadyVideo(gan, 3, statistics="window", window=v),
        "SteadyVideo, follow": lambda v: SteadyVideo(gan, 3, follow=v),
        "SteadyVideo.paint, i": lambda v: SteadyVideo(gan, 1).paint(v, image, code),
        "SteadyVideo.paint, frame": lambda v: SteadyVideo(gan, 1).paint(0, v, code),
        "SteadyVideo.paint, code": lambda v: SteadyVideo(gan, 1).paint(0, image, v),
        "StyleFile": lambda v: StyleFile.made_by(gan, v, "a"),
        "StyleFile, gan": lambda v: StyleFile.made_by(v, code, "a"),
        "StyleFile, thumbnail": lambda v: StyleFile.made_by(gan, code, "a", "" if v is None else v),
        "write_style": lambda v: write_style(path, StyleFile(v, 1, None, "a")),
        "write_style, style": lambda v: write_style(path, v),
        "write_style, path": lambda v: write_style(v, StyleFile.made_by(gan, code, "a")),
        "read_style": read_style,
        "paint_thumbnail": lambda v: paint_thumbnail(gan, v),
        "paint_thumbnail, gan": lambda v: paint_thumbnail(v, code),
        "StyleGAN": lambda v: StyleGAN("" if v is None else v),
        "StyleGAN.load": StyleGAN.load,
        "StyleGAN.save": gan.save,
        "SteadyVideo, gan": lambda v: SteadyVideo(v, 3),
        "style_fingerprint": style_fingerprint,
        "content_fingerprint": content_fingerprint,
        "refine, start": lambda v: refined(start="" if v is None else v),
        "refine, photo": lambda v: refined(photo=v),
        "refine, paintings": lambda v: refined(paintings=v),
        "refine, a painting": lambda v: refined(paintings=[image, v]),
        "refine, weights": lambda v: refined(weights="" if v is None else v),
        "refine, a weight": lambda v: refined(paintings=[image, image], weights=[1, v]),
        "refine, a region": lambda v: refined(regions=[v]),
        "a region of refine, mask": lambda v: refined(regions=[Region(v, image)]),
        "a region of refine, paintings": lambda v: refined(regions=[Region(mask, v)]),
        **{
            f"refine, {name}": lambda v, name=name: refined(**{name: "" if v is None else v})
            for name in ("options", "regions", "network", "gan", "seed", "on_step", "on_tile", "on_note")
        },
    }


# Such values are right in these places.
FITTING = {
    ("mix_styles, weights", "a list"),
    # Pictures are only reduced to it.
    ("encode_style, size", "a very large number"),
    # A file of that name would be written.
    ("write_style, path", "a text"),
    ("StyleGAN.save", "a text"),
}


@pytest.mark.parametrize("what", VALUES)
def test_one_sentence(calls, what):
    for name, call in calls.items():
        if (name, what) in FITTING:
            continue
        sentence = ""
        with torch.no_grad():
            try:
                call(VALUES[what])
            except (ValueError, CheckpointError) as error:
                sentence = str(error)
        assert sentence.endswith("."), (name, sentence)
        assert len(sentence) < 400, (name, sentence)
        assert "\n" not in sentence, (name, sentence)


@pytest.mark.parametrize(
    ("value", "words"),
    [(math.nan, "that are not finite"), (-math.inf, "that are not finite"), (1e30, "up to 1e+30")],
)
def test_a_code_that_would_paint_nonsense(frozen_tiny, value, words):
    image = torch.rand(1, 3, 16, 16)
    content, code = frozen_tiny.encode_content(image), frozen_tiny.encode_style(image)
    code[0, 0, 0] = value
    for refuse in (
        lambda: frozen_tiny.generate(content, code),
        lambda: frozen_tiny.generate(content, code * 0, regions=[StyleRegion(code, torch.ones(1, 4, 4))]),
        lambda: mix_styles([code * 0, code]),
    ):
        with pytest.raises(ValueError, match="has values ") as caught:
            refuse()
        assert "tyle" in str(caught.value)
    with pytest.raises(ValueError, match=re.escape(words)):
        frozen_tiny.generate(content, code)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "name of a file"),
        ("a\0b", "zero bytes"),
        (b"a", "of the type bytes"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_paths_that_no_file_has(frozen_tiny, path, words):
    for read in (StyleGAN.load, read_style):
        with pytest.raises(CheckpointError, match=words) as caught:
            read(path)
        assert len(str(caught.value)) < 400
    if words != "File name too long":  # which writers find out from the system
        with pytest.raises(ValueError, match=words):
            frozen_tiny.save(path)
