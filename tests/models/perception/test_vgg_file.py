"""The file of the loss network: a damaged one is refused in one sentence."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load, save

from brushwork.base.shipped import VGG_WEIGHTS
from brushwork.models import CheckpointError
from brushwork.models.perception.vgg import LossNetwork

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3523040\n"


@pytest.fixture(scope="module")
def whole() -> bytes:
    return VGG_WEIGHTS.read_bytes()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: POINTER, "is a pointer of Git LFS and not the file itself"),
        (lambda data: data[: len(data) // 2], "is cut short at 1761520 bytes; download or copy it again."),
        (lambda data: data[:5], "is cut short at 5 bytes"),
        (lambda data: b"<!DOCTYPE html><html>", "is not the loss network's file; install Brushwork again."),
        (lambda data: save({"weight": torch.zeros(2)}), "holds other weights than the loss network's"),
    ],
)
def test_files_that_are_not_whole(tmp_path, whole, damage, said):
    path = tmp_path / "vgg.safetensors"
    path.write_bytes(damage(whole))
    with pytest.raises(CheckpointError, match=r"^vgg\.safetensors .*\.$") as caught:
        LossNetwork(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("block1_conv1.bias", lambda t: t * torch.nan, "has values that are not finite"),
        ("block1_conv1.palette", lambda t: t + 1e9, "which no trained network has"),
        ("block1_conv1.palette", lambda t: t[:7].clone(), "points outside its palette"),
        ("block1_conv1.palette", lambda t: t.view(16, 16), "holds other weights"),
        ("block1_conv1.index", lambda t: t.int(), "holds other weights"),
        ("block4_conv1.index", lambda t: t[:5].clone(), "holds other weights"),
    ],
)
def test_tensors_that_are_not_those_of_the_loss_network(tmp_path, whole, name, change, said):
    tensors = load(whole)
    tensors[name] = change(tensors[name])
    (tmp_path / "vgg.safetensors").write_bytes(save(tensors))
    with pytest.raises(CheckpointError, match=said):
        LossNetwork(tmp_path / "vgg.safetensors")


def test_a_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors is missing; install Brushwork again"):
        LossNetwork(tmp_path / "none.safetensors")
