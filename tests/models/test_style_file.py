"""Style files: what is written comes back, they stay small, and every bad file is refused in one sentence."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import sys

import pytest
import torch
from PIL import Image, ImageFile
from safetensors import safe_open
from safetensors.torch import save, save_file

from brushwork.models import CheckpointError, StyleGAN
from brushwork.models.style_file import (
    LARGEST_FILE,
    StyleFile,
    read_style,
    read_style_facts,
    style_fingerprint,
    write_style,
)
from brushwork.pictures.tensors import as_picture


@pytest.fixture(scope="session")
def style(gan, artwork, photo) -> StyleFile:
    """The shipped network's code of a painting, with the painted photo as its thumbnail."""
    code = gan.encode_style(artwork)
    painted = gan.generate(gan.encode_content(photo), code)
    return StyleFile.made_by(
        gan,
        code,
        "Sternennacht ★",
        thumbnail=as_picture(painted[0]),
        artist="Vincent van Gogh",
        year="1889",
        licence="public domain",
        origin="https://example.org/starry",
    )


@pytest.fixture
def saved(style, tmp_path):
    path = tmp_path / "starry.safetensors"
    write_style(path, style)
    return path


def refusal(path) -> str:
    """What `read_style` says about the file: one sentence that names it, nothing else."""
    with pytest.raises(CheckpointError) as caught:
        read_style(path)
    message = str(caught.value)
    assert path.name in message
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_a_header_without_the_networks_fingerprint(saved, style):
    """It is not known then; reading it was a KeyError, also where the style picker lists styles."""
    layers, dim = style.code.shape
    rewrite(saved, network=json.dumps({"layers": layers, "code_dim": dim}))
    read = read_style(saved)
    assert read.encoder is None
    assert torch.equal(read.code, style.code.half().float())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8(saved, style, gan, tmp_path):
    """Folders of older systems have them, and a whole file was called cut short."""
    folder = tmp_path / os.fsdecode(b"gem\xe4lde")
    folder.mkdir()
    path = folder / os.fsdecode(b"m\xf6we.safetensors")
    write_style(path, style)
    assert path.read_bytes() == saved.read_bytes()
    assert torch.equal(read_style(path).code, read_style(saved).code)
    assert read_style_facts(path) == read_style_facts(saved)
    gan.save(folder / "x.safetensors")
    assert style_fingerprint(StyleGAN.load(folder / "x.safetensors")) == style_fingerprint(gan)
    path.write_bytes(saved.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match="is cut short or damaged at 3000 bytes"):
        read_style(path)


def rewrite(path, tensors=None, **metadata):
    """Save the file again with changed tensors or header entries; None removes one."""
    with safe_open(path, framework="pt") as file:
        header = {**file.metadata(), **metadata}
        kept = {name: file.get_tensor(name) for name in file.keys()} | (tensors or {})  # noqa: SIM118
    save_file(
        {name: tensor for name, tensor in kept.items() if tensor is not None},
        path,
        {key: value for key, value in header.items() if value is not None},
    )


def test_everything_comes_back(style, saved):
    loaded = read_style(saved)
    assert loaded.code.dtype == torch.float32
    torch.testing.assert_close(loaded.code, style.code, rtol=2**-11, atol=2**-24)
    for field in dataclasses.fields(StyleFile):
        if field.name != "code":
            assert getattr(loaded, field.name) == getattr(style, field.name)
    assert loaded.picture().size == style.picture().size


def test_it_paints_as_before(gan, style, saved, photo):
    content = gan.encode_content(photo)
    before, after = (gan.generate(content, s.code[None]) for s in (style, read_style(saved)))
    assert (before - after).abs().max() < 1 / 255


def test_a_second_save_changes_nothing(saved, tmp_path):
    write_style(tmp_path / "again.safetensors", read_style(saved))
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_files_are_small(style, saved, tmp_path):
    bare = tmp_path / "bare.safetensors"
    write_style(bare, dataclasses.replace(style, thumbnail=None))
    assert bare.stat().st_size < 8_000
    assert saved.stat().st_size < 18_000
    assert read_style(bare).picture() is None


def test_it_does_not_share_the_code(gan):
    code = torch.zeros(1, gan.config.layers, gan.config.code_dim)
    style = StyleFile.made_by(gan, code, "zero")
    code.fill_(1)
    assert style.code.abs().max() == 0


def test_a_trainable_code_may_be_given(tiny, tmp_path):
    code = torch.randn(tiny.config.layers, tiny.config.code_dim, requires_grad=True)
    write_style(tmp_path / "learned.safetensors", StyleFile.made_by(tiny, code, "learned"))
    torch.testing.assert_close(
        read_style(tmp_path / "learned.safetensors").code, code.detach(), rtol=2**-11, atol=2**-24
    )


@pytest.mark.parametrize("shape", [(2, 3), (2, 9, 24), (1, 9, 192)])
def test_a_code_of_another_network(tiny, shape):
    with pytest.raises(ValueError, match=r"one style of this network is \(10, 24\)"):
        StyleFile.made_by(tiny, torch.zeros(shape), "other")


def test_fingerprint_survives_saving(tiny, tmp_path):
    tiny.save(tmp_path / "gan.safetensors")
    assert style_fingerprint(StyleGAN.load(tmp_path / "gan.safetensors")) == style_fingerprint(tiny)
    assert len(style_fingerprint(tiny)) == 16


def test_fingerprint_is_the_style_encoders(tiny):
    before = style_fingerprint(tiny)
    with torch.no_grad():
        for part in (tiny.generator, tiny.content_encoder):
            for parameter in part.parameters():
                parameter.add_(0.5)
    assert style_fingerprint(tiny) == before
    with torch.no_grad():
        tiny.style_encoder.conv8.bias[0] += 0.01
    assert style_fingerprint(tiny) != before


def test_fingerprint_does_not_depend_on_the_memory_format(tiny):
    before = style_fingerprint(tiny)
    assert style_fingerprint(tiny.to(memory_format=torch.contiguous_format)) == before


def test_missing_file(tmp_path):
    assert refusal(tmp_path / "none.safetensors").startswith("There is no style file at ")
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / "folder").startswith("There is no style file at ")


@pytest.mark.parametrize("keep", [0, 1, 8, 9, 100, 0.5, -1])
def test_truncated_file(saved, keep):
    whole = saved.read_bytes()
    length = int(keep * len(whole)) if isinstance(keep, float) else keep % len(whole)
    saved.write_bytes(whole[:length])
    told = "1 byte" if length == 1 else f"{length} bytes"
    assert refusal(saved) == f"{saved.name} is cut short or damaged at {told}; download or copy it again."


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>", b"\xff\xd8\xff\xe0" + bytes(60)])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "picture.safetensors"
    path.write_bytes(content)
    assert "is not a style file" in refusal(path)


def test_a_pickle_is_not_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trace"), "w"))

    path = tmp_path / "style.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    assert "is not a style file" in refusal(path)
    assert not (tmp_path / "trace").exists()


def test_foreign_safetensors(tmp_path, tiny):
    for metadata in (None, {"format": "pt"}):
        save_file({"code": torch.zeros(2, 2)}, tmp_path / "lora.safetensors", metadata)
        assert "of another kind, not a Brushwork style" in refusal(tmp_path / "lora.safetensors")
    tiny.save(tmp_path / "gan.safetensors")
    assert "of another kind, not a Brushwork style" in refusal(tmp_path / "gan.safetensors")


def test_a_file_far_too_large_is_not_read(tmp_path):
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    assert f"a style file at most {LARGEST_FILE:,}" in refusal(path)


@pytest.mark.parametrize("version", ["0", "3", None])
def test_another_format_version(saved, version):
    rewrite(saved, format_version=version)
    assert f"has style format version {version}, and this Brushwork reads version 2" in refusal(saved)


def test_a_style_of_the_earlier_network(saved):
    rewrite(saved, format_version="1")
    assert refusal(saved) == (
        f"{saved.name} was made for the earlier network of Brushwork 0.2 and says nothing to this one; "
        "encode its paintings again with Encode Style and Save Style, or brushwork encode."
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite(saved, value):
    rewrite(saved, {"code": read_style(saved).code.index_fill(0, torch.tensor([1]), value)})
    assert refusal(saved) == f"{saved.name} is damaged: its style code has values that are not finite."


@pytest.mark.parametrize(
    "code",
    [
        None,
        torch.zeros(17),
        torch.zeros(1, 17, 192),
        torch.zeros(17, 192, dtype=torch.int8),
        torch.zeros(0, 4),
    ],
)
def test_codes_of_a_wrong_shape(saved, code):
    rewrite(saved, {"code": code})
    assert "is damaged: " in refusal(saved)


def test_a_code_that_is_not_what_the_header_says(saved):
    rewrite(saved, {"code": torch.zeros(17, 8)})
    assert refusal(saved).endswith("its code does not have the shape that its header says.")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", None),
        ("name", "7"),
        ("artist", json.dumps("a" * 1001)),
        ("year", "{never closed"),
        ("licence", "[" * 20_000),
        ("structure_layers", "18"),
        ("structure_layers", "-1"),
        ("structure_layers", "true"),
        ("structure_layers", "1e999"),
        ("network", None),
        ("network", "[]"),
        ("network", '{"style_encoder": 5, "layers": 17, "code_dim": 192}'),
        ("network", '{"style_encoder": null, "layers": 17, "code_dim": 193}'),
    ],
)
def test_headers_that_are_damaged(saved, key, value):
    rewrite(saved, **{key: value})
    assert f"{saved.name} is damaged: " in refusal(saved)


def jpeg(size) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "JPEG")
    return buffer.getvalue()


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (jpeg((9000, 700)), "its thumbnail is 9000 x 700 pixels, and 512 are allowed"),
        (png(), "its thumbnail is not a JPEG that can be read"),
        (jpeg((64, 64))[:200], "its thumbnail is not a JPEG that can be read"),
        (b"", "its thumbnail is not a JPEG that can be read"),
        (b"\xff\xd8\xff\xe0 no picture", "its thumbnail is not a JPEG that can be read"),
    ],
)
def test_hostile_thumbnails(style, saved, tmp_path, data, reason):
    rewrite(saved, {"thumbnail": torch.tensor(list(data), dtype=torch.uint8)})
    assert refusal(saved) == f"{saved.name} is damaged: {reason}."
    with pytest.raises(CheckpointError, match=reason):
        write_style(tmp_path / "new.safetensors", dataclasses.replace(style, thumbnail=data))
    assert not (tmp_path / "new.safetensors").exists()


def test_half_a_thumbnail_is_refused_whatever_another_pack_has_set(saved, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    half = jpeg((160, 120))
    rewrite(saved, {"thumbnail": torch.tensor(list(half[: len(half) - 200]), dtype=torch.uint8)})
    assert "its thumbnail is not a JPEG that can be read" in refusal(saved)


def test_a_thumbnail_that_is_no_bytes(saved):
    rewrite(saved, {"thumbnail": torch.zeros(30_000, dtype=torch.float32)})
    assert "its thumbnail is not the bytes of a JPEG" in refusal(saved)


def test_a_surplus_tensor(saved):
    rewrite(saved, {"weights": torch.zeros(3)})
    assert refusal(saved) == f"{saved.name} is damaged: it has a tensor too many, 'weights'."


def test_a_header_of_null(tmp_path):
    data = save({"code": torch.zeros(1, 1)}).replace(b'{"', b'{"__metadata__":null,"', 1)
    length = int.from_bytes(data[:8], "little") + len(b'"__metadata__":null,')
    (tmp_path / "null.safetensors").write_bytes(length.to_bytes(8, "little") + data[8:])
    refusal(tmp_path / "null.safetensors")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": torch.full((17, 192), 1e6)}, "its style code has values that are not finite"),
        ({"code": torch.full((17, 192), torch.nan)}, "its style code has values that are not finite"),
        ({"code": torch.zeros(1, 17, 192)}, "it holds no style code of shape"),
        ({"artist": "x" * 1001}, "its artist is not a text of at most 1000 characters"),
        ({"structure_layers": 18}, "structure_layers is 18 and the code has 17 layers"),
    ],
)
def test_nothing_is_written_that_could_not_be_read(style, tmp_path, change, reason):
    path = tmp_path / "new.safetensors"
    with pytest.raises(CheckpointError, match=reason):
        write_style(path, dataclasses.replace(style, **change))
    assert list(tmp_path.iterdir()) == []


def test_a_code_of_an_unknown_network(style, tmp_path):
    write_style(tmp_path / "mix.safetensors", dataclasses.replace(style, encoder=None))
    assert read_style(tmp_path / "mix.safetensors").encoder is None
