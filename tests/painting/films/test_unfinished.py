"""What a stop left beside a film goes on if it is whole; whatever else lies there is as good as none."""

from __future__ import annotations

import json
import shutil
from functools import partial

import pytest
import torch
from film_painters import SETTINGS
from safetensors.torch import save_file

from brushwork.models.tensor_file import read_tensors
from brushwork.painting.films import paint
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.films.paint import paint_film
from brushwork.painting.films.reading import Film
from brushwork.painting.films.steps import PAINTING
from brushwork.painting.films.unfinished import UnfinishedFilm


@pytest.fixture(scope="module", autouse=True)
def always_small_segments():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paint, "_SEGMENT", 2)
        yield


@pytest.fixture(scope="module")
def paint_to(clip, painter_of):
    """Paints the clip, in the statistics of its window, to a file."""
    painter = partial(painter_of, steady=SteadyOptions("window", window=3))
    return lambda target, **how: paint_film(Film(clip), target, painter, SETTINGS, **how)


@pytest.fixture(scope="module")
def whole(paint_to, tmp_path_factory):
    """The clip, painted in one go."""
    target = tmp_path_factory.mktemp("whole") / "whole.mp4"
    paint_to(target)
    return target


@pytest.fixture(scope="module")
def once_stopped(paint_to, tmp_path_factory):
    """A folder with a film that was stopped within a shot: 4 of its 12 frames are kept."""
    folder = tmp_path_factory.mktemp("stopped")

    def stop(step):
        if step.what == PAINTING and step.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_to(folder / "a.mp4", on_step=stop)
    return folder


@pytest.fixture
def stopped(once_stopped, tmp_path):
    """The hidden folder of that film, in `tmp_path`."""
    shutil.copytree(once_stopped, tmp_path, dirs_exist_ok=True)
    return tmp_path / ".a.mp4.unfinished"


def changed(path, change):
    """`change` the tensors and the texts of a safetensors file."""
    tensors, texts = read_tensors(path)
    change(tensors, texts)
    save_file(tensors, path, texts)


def tensors_as(kind):
    return lambda tensors, texts: tensors.update({name: kind(each) for name, each in tensors.items()})


def one_more_segment(tensors, texts):
    texts["segments"] = json.dumps([*json.loads(texts["segments"]), "0" * 64])


SPOILED_STATES = {
    "doubles": tensors_as(torch.Tensor.double),
    "whole numbers": tensors_as(torch.Tensor.int),
    "flat": tensors_as(torch.Tensor.flatten),
    "empty": tensors_as(lambda each: each.flatten()[:0]),
    "NaN": tensors_as(lambda each: each.double().fill_(torch.nan).to(each.dtype)),
    "a pixel": lambda tensors, texts: tensors["painted"][0, 0, 0, :1].add_(0.5),
    "many reads": lambda tensors, texts: tensors.update(reads=torch.tensor(10**9)),
    "none": lambda tensors, texts: tensors.clear(),
    "one lacks": lambda tensors, texts: tensors.pop("painted"),
    "one of another video": lambda tensors, texts: tensors.update({"statistics.x.y": torch.ones(2)}),
    "other frames": lambda tensors, texts: texts.update(frames="3"),
    "one more segment": one_more_segment,
    "segments that are a number": lambda tensors, texts: texts.update(segments="2"),
    "no texts": lambda tensors, texts: texts.clear(),
    "texts without a digest": lambda tensors, texts: texts.pop("digest"),
    "texts that are no JSON": lambda tensors, texts: texts.update(segments="[", digest="]"),
}


def progress(folder):
    """What would go on in the hidden `folder`."""
    return UnfinishedFilm(folder, SETTINGS).progress()


def test_a_whole_state_goes_on(clip, whole, paint_to, stopped, tmp_path):
    changed(stopped / "state.safetensors", lambda tensors, texts: None)
    notes = []
    paint_to(tmp_path / "a.mp4", on_note=notes.append)
    assert notes == [f"{clip}: it goes on where it stopped, after 4 of 12 frames."]
    assert (tmp_path / "a.mp4").read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("change", SPOILED_STATES.values(), ids=SPOILED_STATES)
def test_a_spoiled_state_is_as_good_as_none(stopped, change):
    assert progress(stopped).frames == 4
    changed(stopped / "state.safetensors", change)
    assert progress(stopped).frames == 0
    assert sorted(path.name for path in stopped.iterdir()) == ["shots.json", "state.safetensors"]


@pytest.mark.parametrize("name", ["state.safetensors", "000000.mp4", "000001.mp4", "000001.mp4 of another"])
def test_torn_and_other_files_are_as_good_as_none(stopped, name):
    path = stopped / name.split()[0]
    path.write_bytes((stopped / "000000.mp4").read_bytes() if "another" in name else path.read_bytes()[:-100])
    assert progress(stopped).frames == 0


@pytest.mark.parametrize("shots", [[7, 3], [12], [10**15], [7.0, 5], [], [-7, 19], "12", None, {"7": 5}])
def test_other_shots_are_as_good_as_none(stopped, shots):
    path = stopped / "shots.json"
    known = json.loads(path.read_text())
    assert UnfinishedFilm(stopped, SETTINGS).shots == known["shots"] == [7, 5]
    path.write_text(json.dumps(known | {"shots": shots}))
    assert UnfinishedFilm(stopped, SETTINGS).shots is None
    assert list(stopped.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "1", "null", "{}", '{"digest": 1}', "[" * 100_000])
def test_a_file_that_names_no_shots_is_as_good_as_none(stopped, text):
    (stopped / "shots.json").write_text(text)
    assert UnfinishedFilm(stopped, SETTINGS).shots is None


@pytest.mark.parametrize("change", ["flat", "a pixel"])
def test_it_is_painted_from_the_beginning_then(whole, paint_to, stopped, tmp_path, change):
    changed(stopped / "state.safetensors", SPOILED_STATES[change])
    notes = []
    paint_to(tmp_path / "a.mp4", on_note=notes.append)
    assert notes == []
    assert (tmp_path / "a.mp4").read_bytes() == whole.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_segments_of_another_length_are_painted_again(paint_to, stopped, tmp_path, monkeypatch):
    """Another version may make other segments."""
    monkeypatch.setattr(paint, "_SEGMENT", 3)
    paint_to(tmp_path / "a.mp4")
    paint_to(tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
