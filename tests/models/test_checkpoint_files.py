"""Checkpoints: what is saved comes back, and every broken file is refused in one sentence."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from brushwork.base.shipped import DEFAULT_CHECKPOINT
from brushwork.models import CheckpointError, StyleGAN
from brushwork.models.checkpoint import open_checkpoint
from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.style_space import TENSORS


class Trap:
    """Leaves a trace at the path if it is ever unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def saved(frozen_tiny, tmp_path):
    path = tmp_path / "style.safetensors"
    frozen_tiny.save(path)
    return path


def refusal(path) -> str:
    """What `StyleGAN.load` says about the file: one sentence that names it, nothing else."""
    with pytest.raises(CheckpointError) as caught:
        StyleGAN.load(path)
    message = str(caught.value)
    assert path.name in message
    assert message.endswith(".")
    assert "\n" not in message
    return message


def rewrite(path, change_tensors=None, **metadata):
    """Save the file again with changed tensors or header entries; a None entry is removed."""
    with safe_open(path, framework="pt") as file:
        header = {**file.metadata(), **metadata}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if change_tensors is not None:
        change_tensors(tensors)
    save_file(tensors, path, {key: value for key, value in header.items() if value is not None})


def test_float32_comes_back_exactly(frozen_tiny, tmp_path):
    path = tmp_path / "exact.safetensors"
    frozen_tiny.save(path, dtype=torch.float32)
    loaded = StyleGAN.load(path)
    assert loaded.config == frozen_tiny.config
    assert all(torch.equal(v, frozen_tiny.state_dict()[k]) for k, v in loaded.state_dict().items())
    for name in TENSORS:
        assert torch.equal(getattr(loaded.space, name), getattr(frozen_tiny.space, name))
    assert loaded.space.count == frozen_tiny.space.count
    photo, art = torch.rand(1, 3, 24, 24), torch.rand(1, 3, 24, 24)
    assert torch.equal(loaded.stylize(photo, art), frozen_tiny.stylize(photo, art))
    torch.testing.assert_close(loaded.sample_style(7), frozen_tiny.sample_style(7))


def test_float16_comes_back_within_its_rounding(frozen_tiny, saved):
    loaded = StyleGAN.load(saved)
    for name, tensor in loaded.state_dict().items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, frozen_tiny.state_dict()[name], rtol=2**-11, atol=2**-24)
    photo, art = torch.rand(1, 3, 24, 24), torch.rand(1, 3, 24, 24)
    assert (loaded.stylize(photo, art) - frozen_tiny.stylize(photo, art)).abs().max() < 0.02


def test_a_second_save_changes_nothing(saved, tmp_path):
    again = tmp_path / "again.safetensors"
    StyleGAN.load(saved).save(again)
    with open_checkpoint(saved) as first, open_checkpoint(again) as second:
        assert second.header == first.header
        before, after = first.tensors(), second.tensors()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_loaded_networks_are_ready_to_paint(saved):
    gan = StyleGAN.load(str(saved))
    assert not gan.training
    assert not any(p.requires_grad for p in gan.parameters())
    assert all(p.device.type == "cpu" and p.dtype == torch.float32 for p in gan.parameters())
    kernels = [p for p in gan.parameters() if p.dim() == 4]
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in kernels)


def test_loading_draws_no_random_numbers(saved):
    """Another program in the process would draw others, and what is drawn is thrown away."""
    before = torch.get_rng_state()
    StyleGAN.load(saved)
    LossNetwork()
    assert torch.equal(torch.get_rng_state(), before)


def test_two_loads_share_nothing(saved):
    first, second = StyleGAN.load(saved), StyleGAN.load(saved)
    first.generator.up4.bias.zero_()
    assert second.generator.up4.bias.abs().max() > 0


def test_header_tells_everything(tiny, tmp_path):
    path = tmp_path / "style.safetensors"
    tiny.training_record = {"steps": 12, "seed": 3}
    tiny.save(path, extra={"name": "Häuser", "losses": [1.5, 0.5]})
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    assert header["format"] == "brushwork-style-gan"
    assert header["format_version"] == "2"
    assert json.loads(header["config"]) == dataclasses.asdict(tiny.config)
    assert json.loads(header["style_space"]) == {
        "kind": "gaussian mixture",
        "centres": 1,
        "rank": 5,
        "count": 9,
    }
    assert json.loads(header["name"]) == "Häuser"
    assert json.loads(header["losses"]) == [1.5, 0.5]
    assert StyleGAN.load(path).training_record == {"steps": 12, "seed": 3}


def test_a_network_without_a_style_space(tiny, tmp_path):
    tiny.space = None
    tiny.save(tmp_path / "plain.safetensors")
    assert StyleGAN.load(tmp_path / "plain.safetensors").space is None


def test_the_shipped_checkpoint_is_whole():
    with open_checkpoint(DEFAULT_CHECKPOINT) as checkpoint:
        assert {"config", "training", "style_space"} <= checkpoint.header.keys()
    gan = StyleGAN.load(DEFAULT_CHECKPOINT)
    assert gan.space is not None
    assert gan.space.count > 1


def test_missing_file(tmp_path):
    assert refusal(tmp_path / "none.safetensors").startswith("There is no checkpoint at ")
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / "folder").startswith("There is no checkpoint at ")


@pytest.mark.parametrize("keep", [0, 1, 4, 8, 9, 100, 0.1, 0.5, 0.99, -1])
def test_truncated_file(saved, keep):
    whole = saved.read_bytes()
    length = int(keep * len(whole)) if isinstance(keep, float) else keep % len(whole)
    saved.write_bytes(whole[:length])
    told = "1 byte" if length == 1 else f"{length} bytes"
    assert refusal(saved) == f"{saved.name} is cut short at {told}; download or copy it again."


def test_a_header_whose_length_begins_like_a_pickle(tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes((0x280).to_bytes(8, "little") + b'{"__metadata__":{')
    assert refusal(path) == f"{path.name} is cut short at 25 bytes; download or copy it again."
    path.write_bytes((0x1A80).to_bytes(8, "little"))
    assert refusal(path) == f"{path.name} is cut short at 8 bytes; download or copy it again."


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_torch_file_is_not_unpickled(tmp_path, zipped):
    trace, path = tmp_path / "trace", tmp_path / "weights.safetensors"
    torch.save({"weights": Trap(trace)}, path, _use_new_zipfile_serialization=zipped)
    assert "is a pickled PyTorch file" in refusal(path)
    assert not trace.exists()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_plain_pickle_is_not_unpickled(tmp_path, protocol):
    trace, path = tmp_path / "trace", tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Trap(trace), protocol))
    assert "can run foreign code when it is read; Brushwork reads safetensors only." in refusal(path)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>", b"\xff\xd8\xff\xe0" + bytes(60), b"text " * 9])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "picture.safetensors"
    path.write_bytes(content)
    assert refusal(path) == (
        "picture.safetensors is not a safetensors file; choose a checkpoint that Brushwork saved."
    )


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_foreign_safetensors(tmp_path, metadata):
    path = tmp_path / "lora.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata)
    assert "is a safetensors file of another kind, not a Brushwork style GAN" in refusal(path)


@pytest.mark.parametrize("version", ["0", "3", "2.0", None])
def test_another_format_version(saved, version):
    rewrite(saved, format_version=version)
    message = refusal(saved)
    assert f"has format version {version}, and this Brushwork reads version 2" in message


def test_a_checkpoint_of_the_earlier_network(saved):
    rewrite(saved, format_version="1")
    assert refusal(saved) == (
        "style.safetensors was made for the earlier network of Brushwork 0.2 and does not fit this one; "
        "use the shipped network, or train again."
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite(saved, value):
    rewrite(saved, lambda tensors: tensors["generator.up4.bias"].fill_(value))
    expected = f"{saved.name} is damaged: 'generator.up4.bias' has values that are not finite."
    assert refusal(saved) == expected


def test_missing_tensor(saved):
    rewrite(saved, lambda tensors: tensors.pop("generator.head.bias"))
    assert refusal(saved) == f"{saved.name} lacks 1 tensor of the network, 'generator.head.bias' first."


def test_surplus_tensor(saved):
    rewrite(saved, lambda tensors: tensors.update(ghost=torch.zeros(1)))
    assert refusal(saved) == f"{saved.name} has 1 tensor too many, 'ghost' first."


def test_misshaped_tensor(saved):
    rewrite(saved, lambda tensors: tensors.update({"generator.up4.bias": torch.zeros(9)}))
    message = f"{saved.name} does not fit its own config: 'generator.up4.bias' is (9,), not (8,)."
    assert refusal(saved) == message


@pytest.mark.parametrize("change", [*TENSORS.values(), "shape", "one share too few", "a negative share"])
def test_style_space_that_does_not_fit(saved, change):
    def damage(tensors):
        if change == "shape":
            tensors["style_space.mean"] = torch.zeros(3)
        elif change == "one share too few":
            tensors["style_space.shares"] = tensors["style_space.shares"][1:]
        elif change == "a negative share":
            tensors["style_space.shares"][0] = -1
        else:
            del tensors[f"style_space.{change}"]

    rewrite(saved, damage)
    assert refusal(saved) == f"{saved.name} is damaged: its style distribution does not fit the network."


@pytest.mark.parametrize(
    "config",
    [
        None,
        "[]",
        "7",
        '"text"',
        "null",
        '{"unknown_key": 3}',
        '{"fine_channels": "many"}',
        '{"fine_channels": 8.5}',
        '{"coarse_blocks": 0}',
        '{"code_dim": -1}',
        '{"fine_channels": true}',
        '{"coarse_channels": 1000000000}',
        '{"coarse_blocks": 1000000000}',
    ],
)
def test_config_that_is_no_config(saved, config):
    rewrite(saved, config=config)
    assert refusal(saved) == f"{saved.name} is damaged: its header has no usable network config."


def test_config_of_another_network(saved):
    rewrite(saved, config=json.dumps({"fine_channels": 16}))
    assert f"{saved.name} lacks " in refusal(saved)


@pytest.mark.parametrize(
    "absurd",
    [
        {"coarse_channels": 1024, "code_dim": 1024},
        {"wide_channels": 1024},
        {"kernels": 1024},
        {"wide_kernels": 1024},
        {"covariance_channels": 1024},
        {"covariance_hidden": 1024},
    ],
)
def test_config_of_a_network_far_too_wide_takes_no_memory(saved, frozen_tiny, absurd):
    wide = dataclasses.asdict(frozen_tiny.config) | absurd
    rewrite(saved, config=json.dumps(wide))
    assert f"{saved.name} does not fit its own config: " in refusal(saved)


@pytest.mark.parametrize("key", ["config", "training", "style_space", "note"])
def test_header_that_is_not_json(saved, key):
    rewrite(saved, **{key: "{never closed"})
    assert refusal(saved) == f"{saved.name} is damaged: its header cannot be read."
