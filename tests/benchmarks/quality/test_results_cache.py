"""Results on disk: made once, whole, and anew as soon as what they came from changes."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.fingerprint import fingerprint
from benchmarks.quality.results_cache import Record, ResultsCache


@pytest.fixture
def files(tmp_path):
    made = [tmp_path / "lake at dawn.jpg", tmp_path / "wave.png"]
    for file in made:
        file.write_bytes(file.name.encode())
    return made


class Counting:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return Record({"gram": 0.25, "psnr": math.inf}, {"vgg19": torch.arange(3.0)})


def test_made_once_and_the_same_from_disk(tmp_path, files):
    compute = Counting()
    first = ResultsCache(tmp_path / "cache").remember("MicroAST-1", "scores", files, compute)
    again = ResultsCache(tmp_path / "cache").remember("MicroAST-1", "scores", files, compute)
    assert compute.calls == 1
    assert again.numbers == first.numbers == {"gram": 0.25, "psnr": math.inf}
    assert torch.equal(again.tensors["vgg19"], first.tensors["vgg19"])
    kept = [path.name for path in (tmp_path / "cache" / "MicroAST-1" / "scores").iterdir()]
    assert kept == [f"lake-at-dawn__wave-{fingerprint(*files)}.safetensors"]


def test_another_owner_kind_order_or_picture_is_another_result(tmp_path, files):
    cache, compute = ResultsCache(tmp_path / "cache"), Counting()
    cache.remember("a", "scores", files, compute)
    cache.remember("b", "scores", files, compute)
    cache.remember("a", "shifts", files, compute)
    cache.remember("a", "scores", files[::-1], compute)
    files[0].write_bytes(b"another picture under the same name")
    cache.remember("a", "scores", files, compute)
    assert compute.calls == 5


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: b"", lambda data: b"x" * len(data)])
def test_a_damaged_file_is_made_anew(tmp_path, files, damage):
    cache, compute = ResultsCache(tmp_path / "cache"), Counting()
    cache.remember("a", "scores", files, compute)
    (file,) = (tmp_path / "cache").rglob("*.safetensors")
    file.write_bytes(damage(file.read_bytes()))
    assert cache.remember("a", "scores", files, compute).numbers["gram"] == 0.25
    assert compute.calls == 2
    cache.remember("a", "scores", files, compute)
    assert compute.calls == 2


def test_fingerprints():
    assert fingerprint("a", "b") != fingerprint("ab")
    assert fingerprint(fingerprint) == fingerprint(fingerprint) != fingerprint(Record)
