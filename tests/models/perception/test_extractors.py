"""Feature extractors, the weights they read, and where those come from."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models import Inception3

from brushwork.models.perception.extractors import build_extractor
from brushwork.models.perception.fetched_weights import INCEPTION, LPIPS_BACKBONE, FetchedWeights
from brushwork.models.perception.inception import InceptionNetwork
from brushwork.models.perception.statistics import mean_std
from brushwork.models.perception.vgg import STYLE_LAYERS, LossNetwork
from brushwork.pictures.tensors import load_square

CPU = torch.device("cpu")
FID_FILE, TORCHVISION_FILE = "weights-inception-2015-12-05-6726825d.pth", "inception_v3_google-0cc3c7bd.pth"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PyTorch's cache of weights, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def inception_tensors() -> dict[str, Tensor]:
    """An Inception-v3 as torchvision stores it, with random weights and statistics."""
    torch.manual_seed(1)
    network = Inception3(num_classes=1000, aux_logits=True, init_weights=False)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.05, 0.2)
    return network.state_dict()


@pytest.fixture(scope="module")
def fid_tensors(inception_tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same with FID's 1008 classes and no auxiliary ones."""
    kept = {name: t for name, t in inception_tensors.items() if not name.startswith("AuxLogits.")}
    return kept | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


@pytest.fixture(scope="module")
def painting(inputs_dir: Path) -> Tensor:
    return load_square(inputs_dir / "art-hokusai-great-wave.jpg", 128)


@torch.no_grad()
def test_vgg_features_are_roots_of_scaled_channel_means(painting: Tensor) -> None:
    maps = LossNetwork()(painting)
    features = build_extractor("vgg19", CPU)(painting, maps)
    assert features.shape == (1, 960)
    start = 0
    for name, typical in zip(STYLE_LAYERS, (19.0, 116.0, 111.0, 441.0), strict=True):
        channels = maps[name].shape[1]
        mine = features[0, start : start + channels]
        start += channels
        expected = (mean_std(maps[name])[0, 0] / typical * 240 / channels).sqrt()
        torch.testing.assert_close(mine, expected)
        # Every layer adds about as much to the squared length, and to the kernel of KID.
        assert 0.4 < mine.square().sum() / 240 < 2.5


def test_auto_is_vgg19_without_inception_weights(cache: Path) -> None:
    extractor = build_extractor("auto", CPU)
    assert (extractor.name, extractor.num_features) == ("vgg19", 960)
    assert "VGG-19" in extractor.description


def test_inception_without_weights_says_how_to_get_them(cache: Path) -> None:
    with pytest.raises(ValueError, match=r"get them with: brushwork evaluate --download inception \(95 MB\)"):
        build_extractor("inception", CPU)
    assert list(cache.iterdir()) == []


def test_an_unknown_extractor_is_refused(cache: Path) -> None:
    with pytest.raises(ValueError, match="features is 'resnet'; choose one of auto, vgg19, inception"):
        build_extractor("resnet", CPU)


@torch.no_grad()
def test_torchvisions_weights_give_torchvisions_features(
    cache: Path, inception_tensors: dict[str, Tensor], painting: Tensor
) -> None:
    torch.save(inception_tensors, cache / TORCHVISION_FILE)
    extractor = build_extractor("auto", CPU)
    assert extractor.name == "inception"
    assert f"torchvision's weights; not comparable with published numbers ({TORCHVISION_FILE})" in (
        extractor.description
    )
    reference = Inception3(aux_logits=True, init_weights=False).eval()
    reference.load_state_dict(inception_tensors)
    reference.fc = torch.nn.Identity()
    resized = F.interpolate(painting, (299, 299), mode="bilinear", align_corners=False, antialias=True)
    expected = reference(resized * (255 / 128) - 1)
    found = extractor(painting, {})
    assert found.shape == (1, 2048)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_fids_weights_pool_as_tensorflow_does(
    cache: Path, inception_tensors: dict[str, Tensor], fid_tensors: dict[str, Tensor], painting: Tensor
) -> None:
    torch.save(inception_tensors, cache / TORCHVISION_FILE)
    torch.save(fid_tensors, cache / FID_FILE)
    extractor = build_extractor("inception", CPU)  # of both files, FID's own
    assert f"FID's own weights ({FID_FILE})" in extractor.description
    fid, plain = extractor.network.network, InceptionNetwork(cache / TORCHVISION_FILE).network
    assert not torch.allclose(extractor(painting, {}), plain(painting))

    x = torch.rand(1, 192, 9, 9)
    inside = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    pooled = plain.Mixed_5b.branch_pool(inside)
    found, other = fid.Mixed_5b(x), plain.Mixed_5b(x)
    torch.testing.assert_close(found[:, -32:], pooled)
    torch.testing.assert_close(found[:, :-32], other[:, :-32])

    x = torch.rand(1, 2048, 4, 4)
    found, other = fid.Mixed_7c(x), plain.Mixed_7c(x)
    torch.testing.assert_close(found[:, -192:], plain.Mixed_7c.branch_pool(F.max_pool2d(x, 3, 1, 1)))
    torch.testing.assert_close(found[:, :-192], other[:, :-192])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a file of weights", "cannot be read as weights; delete it and fetch it again"),
        (b"", "cannot be read as weights"),
        ({"conv.weight": torch.zeros(2)}, "does not hold the weights of Inception-v3; delete it"),
        ({"epoch": 3}, "holds something else than a network's weights"),
    ],
    ids=["text", "empty", "another network", "no tensors"],
)
def test_files_that_are_no_weights_are_refused(cache: Path, content: object, sentence: str) -> None:
    if isinstance(content, bytes):
        (cache / FID_FILE).write_bytes(content)
    else:
        torch.save(content, cache / FID_FILE)
    with pytest.raises(ValueError, match=sentence):
        build_extractor("inception", CPU)


def test_a_pickle_is_not_executed(cache: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return open, (str(tmp_path / "sprung"), "w")

    (cache / FID_FILE).write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(ValueError, match="cannot be read as weights"):
        build_extractor("inception", CPU)
    assert not (tmp_path / "sprung").exists()


def source(folder: Path, data: bytes, digest: str | None = None) -> FetchedWeights:
    """Weights at an address that can be read here, named after the first digits of their SHA-256."""
    folder.mkdir()
    name = f"net-{digest or hashlib.sha256(data).hexdigest()[:8]}.pth"
    (folder / name).write_bytes(data)
    return FetchedWeights("net", "a net", (folder / name).as_uri(), ("net-*.pth",), 1)


def test_weights_are_fetched_once_and_checked(cache: Path, tmp_path: Path) -> None:
    weights = source(tmp_path / "server", b"tensors")
    assert weights.find() is None
    path = weights.fetch()
    assert path.parent == cache
    assert path.read_bytes() == b"tensors"
    (tmp_path / "server" / path.name).unlink()
    assert weights.fetch() == weights.find() == path


def test_weights_of_another_hash_are_refused(cache: Path, tmp_path: Path) -> None:
    weights = source(tmp_path / "server", b"tensors", digest="01234567")
    with pytest.raises(ValueError, match=r"The weights of a net could not be fetched from .*invalid hash"):
        weights.fetch()
    assert list(cache.iterdir()) == []


def test_an_address_that_does_not_answer_is_one_sentence(cache: Path, tmp_path: Path) -> None:
    weights = FetchedWeights("net", "a net", (tmp_path / "net-00.pth").as_uri(), ("net-*.pth",), 1)
    with pytest.raises(ValueError, match="fetch them with a browser and put them into"):
        weights.fetch()


@pytest.mark.parametrize("weights", [INCEPTION, LPIPS_BACKBONE])
def test_a_fetched_file_is_found_by_its_name(weights: FetchedWeights, cache: Path) -> None:
    (cache / weights.url.rpartition("/")[2]).touch()
    assert weights.find() is not None
