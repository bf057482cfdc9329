"""Checkpoints by strangers: refused by their header before a tensor is read, or by what the tensors hold."""

from __future__ import annotations

import json
import struct
import time

import pytest
import torch
from safetensors.torch import load, save

from brushwork.base.tensor_header import LARGEST_HEADER, join_header, split_header
from brushwork.models import CheckpointError, StyleGAN
from brushwork.models.checkpoint import write_checkpoint
from brushwork.models.tensor_file import LARGEST_WEIGHT, MOST_NUMBERS, MOST_PARTS


@pytest.fixture
def whole(frozen_tiny, tmp_path) -> bytes:
    path = tmp_path / "x.safetensors"
    frozen_tiny.save(path, dtype=torch.float32)
    return path.read_bytes()


@pytest.fixture
def refused(tmp_path, whole):
    """What `StyleGAN.load` says about a file made from whole parts: one sentence, at once."""

    def refuse(change_tensors=None, **texts: str | None) -> str:
        tensors, header = load(whole), split_header(whole)[0]["__metadata__"]
        if change_tensors is not None:
            change_tensors(tensors)
        kept = {key: text for key, text in (header | texts).items() if text is not None}
        return refuse_bytes(save(tensors, kept))

    def refuse_bytes(data: bytes) -> str:
        path = tmp_path / "x.safetensors"
        path.write_bytes(data)
        began = time.process_time()
        with pytest.raises(CheckpointError) as caught:
            StyleGAN.load(path)
        assert time.process_time() - began < 1
        message = str(caught.value)
        assert message.startswith("x.safetensors ")
        assert message.endswith(".")
        assert "\n" not in message
        assert len(message) < 300
        return message

    refuse.bytes = refuse_bytes
    return refuse


def cast(dtype):
    return lambda tensors: tensors.update({"generator.head.bias": tensors["generator.head.bias"].to(dtype)})


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (torch.int32, "I32"),
        (torch.uint8, "U8"),
        (torch.bool, "BOOL"),
        (torch.complex64, "C64"),
        (torch.float8_e4m3fn, "F8_E4M3"),
    ],
)
def test_weights_that_are_no_real_numbers(refused, dtype, name):
    said = refused(cast(dtype))
    assert said.endswith(f"'generator.head.bias' is {name}, and weights are F16, BF16, F32, F64.")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_of_other_real_types_load(tmp_path, whole, dtype):
    tensors = load(whole)
    cast(dtype)(tensors)
    (tmp_path / "x.safetensors").write_bytes(save(tensors, split_header(whole)[0]["__metadata__"]))
    loaded = StyleGAN.load(tmp_path / "x.safetensors").generator.head.bias
    torch.testing.assert_close(loaded, load(whole)["generator.head.bias"], rtol=2**-8, atol=0)


def fill(value, dtype):
    return lambda tensors: tensors.update(
        {"generator.head.bias": torch.full_like(tensors["generator.head.bias"], value, dtype=dtype)}
    )


@pytest.mark.parametrize("value", [1e300, -1e300, float("nan")])
def test_values_are_checked_in_the_type_that_is_used(refused, value):
    """1e300 is finite in float64, and infinite in the network's float32."""
    assert refused(fill(value, torch.float64)).endswith(
        "'generator.head.bias' has values that are not finite."
    )


@pytest.mark.parametrize("value", [1e30, -1001.0])
def test_weights_that_no_trained_network_has(refused, tmp_path, value):
    assert f"has values up to {abs(value):.3g}, which no trained" in refused(fill(value, torch.float32))
    with pytest.raises(CheckpointError, match=r"Not saved to .* which no trained network has"):
        write_checkpoint(tmp_path / "new", {"x": torch.tensor([value])}, {}, torch.float32)
    assert not (tmp_path / "new").exists()


def test_weights_that_overflow_together(refused):
    def enlarge(tensors):
        for name in tensors:
            if not name.startswith("style_space."):
                tensors[name] = torch.full_like(tensors[name], LARGEST_WEIGHT)

    assert refused(enlarge) == "x.safetensors is damaged: what it paints is not finite."


def with_ghosts(whole: bytes, tmp_path, ghosts: dict[str, int]) -> None:
    """The whole file with surplus tensors of so many numbers, which take no room on the disk."""
    header, tensors = split_header(whole)
    end = len(tensors)
    for name, numbers in ghosts.items():
        header[name] = {"dtype": "F16", "shape": [numbers], "data_offsets": [end, end + 2 * numbers]}
        end += 2 * numbers
    data = join_header(header, tensors)
    with (tmp_path / "x.safetensors").open("wb") as file:
        file.write(data)
        file.truncate(len(data) - len(tensors) + end)


@pytest.mark.parametrize("name", ["ghost", "style_space.ghost"])
def test_gigabytes_too_many_are_not_read(whole, tmp_path, name):
    with_ghosts(whole, tmp_path, {name: 2**30})
    began = time.process_time()
    with pytest.raises(CheckpointError, match=f"and {MOST_NUMBERS:,} are read at most"):
        StyleGAN.load(tmp_path / "x.safetensors")
    with_ghosts(whole, tmp_path, {name: 2**27})
    with pytest.raises(CheckpointError, match=r"tensors? too many|does not fit the network"):
        StyleGAN.load(tmp_path / "x.safetensors")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "3", '"x"', "true", '{"count": "x"}', '{"count": -1}', '{"count": NaN}', '{"centres": 7}'),
        *('{"rank": []}', '{"count": 1e999}', "{}[]", '{"count": 1, "count": 2}', "[" * 100_000),
    ],
)
def test_style_spaces_that_are_described_wrong(refused, text):
    assert "is damaged: its " in refused(style_space=text)


def test_a_style_space_that_is_not_described(refused):
    assert "has 4 tensors too many, 'style_space.centres' first" in refused(style_space=None)


@pytest.mark.parametrize("text", ["[]", "3", '"x"', "null", '{"name": 3}', '{"licence": []}'])
def test_training_records_that_are_none(refused, text):
    assert "in its training record is no text" in (said := refused(training=text)) or "is no object" in said


def test_messages_repeat_no_value_of_any_length(refused):
    long = "9" * 100_000
    assert "has format version 99999999999999999999…," in refused(format_version=long)
    assert refused(lambda tensors: tensors.update({f"g{long}": torch.zeros(1)})).endswith("…' first.")
    assert refused(lambda tensors: tensors.update({f"g{long}": torch.zeros(1).int()})).endswith("F64.")
    assert "no usable network config" in refused(config=f'{{"fine_channels": "{long}"}}')
    assert "not (8,)." in refused(lambda t: t.update({"generator.up4.bias": torch.zeros((1,) * 4)}))
    assert "has 60 dimensions" in refused(lambda t: t.update({"generator.up4.bias": torch.zeros((1,) * 60)}))


def test_millions_of_parts_in_a_header(refused):
    assert "its header cannot be read" in refused(note="[" + "[]," * (MOST_PARTS + 1) + "1]")


def test_a_header_of_any_length(refused, whole):
    header, tensors = split_header(whole)
    header["__metadata__"]["note"] = '"' + "x" * LARGEST_HEADER + '"'
    said = refused.bytes(join_header(header, tensors))
    assert f"and {LARGEST_HEADER:,} are read; choose a checkpoint that Brushwork saved" in said


def test_a_key_that_is_there_twice(refused, whole):
    text = json.dumps(split_header(whole)[0])
    twice = (
        text[:-1]
        + ', "generator.head.bias": '
        + json.dumps(split_header(whole)[0]["generator.up4.bias"])
        + "}"
    )
    for header in (twice, text[:-1] + ', "__metadata__": {}}'):
        refused.bytes(struct.pack("<Q", len(header)) + header.encode() + split_header(whole)[1])


def test_a_pointer_of_git_lfs(refused):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 29882232\n"
    assert refused.bytes(pointer) == (
        "x.safetensors is a pointer of Git LFS and not the file itself; get it with 'git lfs pull', or "
        "download the file."
    )
