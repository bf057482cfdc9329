"""LoadStyleGAN: what it lists, what it loads, and what it says of files it cannot use."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from brushwork.base.shipped import DEFAULT_CHECKPOINT
from brushwork.models import CheckpointError
from brushwork.nodes import LoadStyleGAN
from brushwork.nodes.bridge import api

DEFAULT = DEFAULT_CHECKPOINT.name


def options():
    return LoadStyleGAN.INPUT_TYPES()["required"]["checkpoint"][1]


def test_the_shipped_network_is_the_default():
    assert options()["default"] == DEFAULT
    assert options()["options"][0] == DEFAULT


def test_only_networks_are_listed(models_dir):
    assert not [name for name in options()["options"] if "vgg" in name]


def test_the_shipped_network_is_loaded(style_gan, gan):
    expected = gan.state_dict()
    for name, weight in style_gan.gan.state_dict().items():
        assert torch.equal(weight.cpu(), expected[name])


def test_models_folder_joins_the_list(models_dir, small_gan):
    (models_dir / "mine").mkdir()
    small_gan.gan.save(models_dir / "mine" / "own.safetensors")
    name = os.path.join("mine", "own.safetensors")
    assert options()["options"] == [DEFAULT, name]
    assert LoadStyleGAN.validate_inputs(name) is True
    assert LoadStyleGAN.execute(name)[0].gan.config == small_gan.gan.config


def test_own_file_hides_the_shipped_one(models_dir, small_gan):
    small_gan.gan.save(models_dir / DEFAULT)
    assert options()["options"] == [DEFAULT]
    assert LoadStyleGAN.execute(DEFAULT)[0].gan.config == small_gan.gan.config


def test_a_network_is_read_once(models_dir, small_gan):
    small_gan.gan.save(models_dir / "own.safetensors")
    first = LoadStyleGAN.execute("own.safetensors")[0]
    assert LoadStyleGAN.execute("own.safetensors")[0] is first


def test_a_replaced_file_is_read_again(models_dir, small_gan):
    file = models_dir / "own.safetensors"
    small_gan.gan.save(file)
    first, stamp = LoadStyleGAN.execute(file.name)[0], LoadStyleGAN.fingerprint_inputs(file.name)
    assert LoadStyleGAN.fingerprint_inputs(file.name) == stamp
    small_gan.gan.save(file, extra={"note": "another"})
    assert LoadStyleGAN.fingerprint_inputs(file.name) != stamp
    assert LoadStyleGAN.execute(file.name)[0] is not first


def test_a_missing_file_is_named(models_dir):
    verdict = LoadStyleGAN.validate_inputs("lost.safetensors")
    assert verdict == (
        "There is no checkpoint 'lost.safetensors'; put the file into ComfyUI's folder models/brushwork "
        "or choose another one."
    )
    with pytest.raises(CheckpointError, match=r"lost\.safetensors"):
        LoadStyleGAN.execute("lost.safetensors")


@pytest.mark.parametrize("name", ["../secret.safetensors", "vgg19_features.safetensors", "README.md", ""])
def test_nothing_else_can_be_named(models_dir, small_gan, name):
    small_gan.gan.save(models_dir.parent / "secret.safetensors")
    assert "There is no checkpoint" in LoadStyleGAN.validate_inputs(name)


def test_a_linked_name_is_checked_later():
    assert LoadStyleGAN.validate_inputs(None) is True


def test_a_pickle_is_refused(models_dir):
    (models_dir / "own.safetensors").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match="pickled"):
        LoadStyleGAN.execute("own.safetensors")


def test_a_truncated_file_is_refused(models_dir):
    (models_dir / "own.safetensors").write_bytes(DEFAULT_CHECKPOINT.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="cut short at 5000 bytes"):
        LoadStyleGAN.execute("own.safetensors")


def test_extra_model_paths_are_kept(monkeypatch, tmp_path):
    # extra_model_paths.yaml is read before packs are loaded and registers a folder that filters nothing.
    folders = api.folder_paths.folder_names_and_paths
    monkeypatch.setitem(folders, "brushwork", ([str(tmp_path)], set()))
    api.register_model_folder()
    paths, suffixes = folders["brushwork"]
    assert paths == [str(tmp_path), os.path.join(api.folder_paths.models_dir, "brushwork")]
    assert suffixes == {".safetensors"}
    (tmp_path / "notes.txt").write_text("no checkpoint")
    assert api.model_folder_files() == []
