"""Tensors that have been read do not hold the file that they came from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from brushwork.models.tensor_file import read_tensors
from brushwork.painting.films.unfinished import FilmProgress, UnfinishedFilm
from brushwork.training.state import open_state, write_state

MAPS = Path("/proc/self/maps")

GIVEN = {"a": torch.arange(5000.0), "b": torch.arange(7, dtype=torch.float16)}


def of_a_training(folder: Path) -> dict[str, Tensor]:
    write_state(folder / "state.safetensors", GIVEN, {"step": 3})
    with open_state(folder / "state.safetensors") as (file, _):
        return file.tensors()


def of_a_film(folder: Path) -> dict[str, Tensor]:
    film = UnfinishedFilm(folder, {})
    film.keep_shots([4])
    film.segment(0).write_bytes(b"a segment")
    film.keep_progress(FilmProgress(1, 2, GIVEN))
    return dict(UnfinishedFilm(folder, {}).progress().state or {})


def of_any_file(folder: Path) -> dict[str, Tensor]:
    write_state(folder / "state.safetensors", GIVEN, {})
    return read_tensors(folder / "state.safetensors")[0]


@pytest.mark.skipif(not MAPS.exists(), reason="only Linux says which files a process has mapped")
@pytest.mark.parametrize("read", [of_a_training, of_a_film, of_any_file])
def test_nothing_is_mapped_once_it_is_read(read, tmp_path):
    # Windows replaces no file that is mapped, and a run or a film that goes on replaces its own state.
    found = read(tmp_path)
    assert found.keys() == GIVEN.keys()
    assert all(torch.equal(found[name], given) for name, given in GIVEN.items())
    assert [line for line in MAPS.read_text().splitlines() if str(tmp_path) in line] == []
