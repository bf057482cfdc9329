"""SaveStyle and LoadStyle: names, numbers, thumbnails, what is refused; styles of other networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_disk import make_read_only, needs_root, small_disk

from brushwork.base import temporary
from brushwork.base.shipped import STYLES_DIR
from brushwork.models import CheckpointError
from brushwork.models.style_file import read_style
from brushwork.models.thumbnail import paint_thumbnail
from brushwork.nodes import (
    EncodeContent,
    EncodeStyle,
    Generate,
    InterpolateStyles,
    LoadStyle,
    MaskStyle,
    MixStyles,
    PaintPhoto,
    PaintVideo,
    SaveStyle,
)
from brushwork.nodes.bridge import api
from brushwork.nodes.shared.images import from_pil
from brushwork.nodes.shared.sockets import Style
from brushwork.nodes.shared.styles import DEFAULT_STYLE


@pytest.fixture
def styles_dir(tmp_path, monkeypatch):
    """An empty models/brushwork_styles folder that does not exist yet."""
    folder = tmp_path / "styles"
    monkeypatch.setitem(
        api.folder_paths.folder_names_and_paths, "brushwork_styles", ([str(folder)], {".safetensors"})
    )
    return folder


@pytest.fixture(scope="module")
def style(style_gan, art_image) -> Style:
    with torch.inference_mode():
        return EncodeStyle.execute(style_gan, art_image)[0]


@pytest.fixture(scope="module")
def batch(style_gan, art_image) -> Style:
    with torch.inference_mode():
        return EncodeStyle.execute(style_gan, torch.cat([art_image, art_image.flip(3), 1 - art_image]))[0]


def names():
    return LoadStyle.GET_SCHEMA().inputs[0].options


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.safetensors"))


@needs_root
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_disk_that_takes_no_style(styles_dir, style, overwrite, read_only, monkeypatch):
    monkeypatch.setattr(temporary, "_swept", set())
    with small_disk(styles_dir, "size=8m" if read_only else "size=4k") as disk:
        if read_only:
            make_read_only(disk)
        with pytest.raises(ValueError, match="The style was not saved: ") as caught:
            SaveStyle.execute(style, "mine/wave", overwrite=overwrite)
        assert list(disk.rglob("*.*")) == []
    reason = (
        "Read-only file system; name another place." if read_only else "No space left on device; make room"
    )
    assert reason in str(caught.value)
    assert str(styles_dir / "mine") in str(caught.value)
    assert ".part" not in str(caught.value)


def test_what_is_saved_can_be_loaded(styles_dir, style, photo_image):
    out = SaveStyle.execute(style, "Night ★", "Vincent", "CC0", thumbnail=photo_image)
    assert out[0] is style
    assert out[1] == "Night ★.safetensors"
    assert "Night ★.safetensors" in names()
    assert LoadStyle.validate_inputs("Night ★.safetensors") is True
    loaded, thumbnail, info = LoadStyle.execute("Night ★.safetensors").result
    torch.testing.assert_close(loaded.code, style.code, rtol=2**-11, atol=2**-24)
    assert (loaded.structure_layers, loaded.encoder) == (style.structure_layers, style.encoder)
    assert thumbnail.dtype == torch.float32
    assert thumbnail.shape[0] == 1
    assert max(thumbnail.shape[1:3]) == 160
    assert (thumbnail.mean((0, 1, 2)) - photo_image.mean((0, 1, 2))).abs().max() < 0.03
    assert info.splitlines() == [
        "Night ★",
        "Vincent",
        "Licence: CC0",
        f"Made with the style encoder {style.encoder}",
    ]


def test_a_text_cannot_claim_another_licence(styles_dir, style):
    SaveStyle.execute(style, "waves", "Nobody\nLicence: CC0\x1b[2J", "all rights reserved")
    lines = LoadStyle.execute("waves.safetensors")[2].splitlines()
    assert lines[1:3] == [r"Nobody\nLicence: CC0\x1b[2J", "Licence: all rights reserved"]


def test_it_paints_as_the_painting_would(styles_dir, style_gan, style, photo_image):
    SaveStyle.execute(style, "a")
    content = EncodeContent.execute(style_gan, photo_image)[0]
    before, after = (
        Generate.execute(style_gan, content, s)[0] for s in (style, LoadStyle.execute("a.safetensors")[0])
    )
    assert (before - after).abs().max() < 1 / 255


def test_nothing_is_overwritten(styles_dir, style):
    saved = [SaveStyle.execute(style, "mine/waves")[1] for _ in range(3)]
    assert saved == ["mine/waves.safetensors", "mine/waves_2.safetensors", "mine/waves_3.safetensors"]
    assert files(styles_dir) == sorted(saved)
    assert [name for name in names() if not name.startswith("library/")] == sorted(saved)


def test_unless_it_is_asked_for(styles_dir, style, batch):
    SaveStyle.execute(style, "waves")
    assert SaveStyle.execute(batch, "waves", overwrite=True)[1].splitlines() == [
        "waves.safetensors",
        "waves_2.safetensors",
        "waves_3.safetensors",
    ]
    SaveStyle.execute(batch, "waves", overwrite=True)
    assert files(styles_dir) == ["waves.safetensors", "waves_2.safetensors", "waves_3.safetensors"]


def test_each_style_of_a_batch_gets_a_file(styles_dir, batch):
    saved = SaveStyle.execute(batch, "three")[1].splitlines()
    assert saved == ["three.safetensors", "three_2.safetensors", "three_3.safetensors"]
    for i, name in enumerate(saved):
        file = read_style(styles_dir / name)
        assert file.name == f"three {i + 1}"
        torch.testing.assert_close(file.code, batch.code[i], rtol=2**-11, atol=2**-24)


def test_thumbnails_one_for_all_or_one_each(styles_dir, batch, photo_image, as_image):
    SaveStyle.execute(batch, "all", thumbnail=photo_image)
    assert len({read_style(styles_dir / name).thumbnail for name in files(styles_dir)}) == 1
    each = torch.stack([photo_image[0] * f for f in (1.0, 0.6, 0.2)])
    SaveStyle.execute(batch, "all", overwrite=True, thumbnail=each)
    means = [np.asarray(read_style(styles_dir / name).picture()).mean() for name in files(styles_dir)]
    assert means[0] > means[1] + 10 > means[2] + 20
    with pytest.raises(ValueError, match="There are 2 thumbnails for 3 styles; give one, or one each"):
        SaveStyle.execute(batch, "all", thumbnail=each[:2])


def test_without_a_thumbnail_the_network_paints_one(styles_dir, style_gan, batch):
    SaveStyle.execute(batch, "painted", style_gan=style_gan)
    for i, name in enumerate(files(styles_dir)):
        shown = np.asarray(read_style(styles_dir / name).picture()).astype(float)
        expected = np.asarray(paint_thumbnail(style_gan.gan, batch.code[i])).astype(float)
        assert np.abs(shown - expected).mean() < 8


def test_without_both_there_is_none(styles_dir, style):
    SaveStyle.execute(style, "bare")
    assert read_style(styles_dir / "bare.safetensors").thumbnail is None
    picture = LoadStyle.execute("bare.safetensors")[1]
    assert picture.shape == (1, 160, 160, 3)
    assert picture.std() == 0


@pytest.mark.parametrize(
    ("typed", "file"),
    [
        ("waves.safetensors", "waves.safetensors"),
        (" a / b ", "a/b.safetensors"),
        ("a\\b", "a/b.safetensors"),
        ('1:2*3?"<>|', "1_2_3_____.safetensors"),
        ("C:\\temp", "C_/temp.safetensors"),
        ("con", "_con.safetensors"),
        (".hidden", "_.hidden.safetensors"),
        ("dots...", "dots.safetensors"),
        ("浮世绘", "浮世绘.safetensors"),
        ("x" * 400, "x" * 180 + ".safetensors"),
        ("画" * 100, "画" * 60 + ".safetensors"),
        ("tab\tnew\nline", "tab_new_line.safetensors"),
    ],
)
def test_names_become_file_names(styles_dir, style, typed, file):
    assert SaveStyle.execute(style, typed)[1] == file
    assert files(styles_dir) == [file]
    assert LoadStyle.validate_inputs(file) is True


@pytest.mark.parametrize(
    "name", ["", "  ", "/etc/style", "../style", "a/../../style", "a//b", "\\\\host\\a", "a/"]
)
def test_names_that_leave_the_folder(styles_dir, style, name):
    with pytest.raises(ValueError, match="give a name, or folders and a name"):
        SaveStyle.execute(style, name)
    assert not styles_dir.exists()


def test_names_too_long_to_read_are_refused(styles_dir, style):
    with pytest.raises(CheckpointError, match="its artist is not a text of at most 1000 characters"):
        SaveStyle.execute(style, "a", artist="x" * 1001)
    assert not styles_dir.exists()


def test_the_library_comes_first(styles_dir, style):
    library = [f"library/{path.stem}" for path in sorted(STYLES_DIR.glob("*.safetensors"))]
    SaveStyle.execute(style, "library/mine")
    assert names() == [*library, "library/mine.safetensors"]
    assert LoadStyle.GET_SCHEMA().inputs[0].default == DEFAULT_STYLE
    assert DEFAULT_STYLE in library


@pytest.mark.parametrize(
    "name",
    ["lost.safetensors", "library/lost", "library/../../brushwork_default", "", "../secret.safetensors"],
)
def test_a_missing_style_is_named(styles_dir, style, tmp_path, name):
    SaveStyle.execute(style, "a")
    (styles_dir / "a.safetensors").rename(tmp_path / "secret.safetensors")
    assert LoadStyle.validate_inputs(name) == (
        f"There is no style '{name}'; put the file into ComfyUI's folder models/brushwork_styles or choose "
        "another one."
    )
    with pytest.raises(CheckpointError, match="There is no style"):
        LoadStyle.execute(name)


def test_a_linked_name_is_checked_later():
    assert LoadStyle.validate_inputs(None) is True


def test_a_replaced_file_is_read_again(styles_dir, style, batch):
    SaveStyle.execute(style, "a")
    stamp = LoadStyle.fingerprint_inputs("a.safetensors")
    assert LoadStyle.fingerprint_inputs("a.safetensors") == stamp
    SaveStyle.execute(batch, "a", artist="another", overwrite=True)
    assert LoadStyle.fingerprint_inputs("a.safetensors") != stamp


def test_a_checkpoint_is_not_a_style(styles_dir, small_gan):
    small_gan.gan.save(styles_dir / "gan.safetensors")
    with pytest.raises(CheckpointError, match=r"gan\.safetensors is a safetensors file of another kind"):
        LoadStyle.execute("gan.safetensors")


def test_foreign_styles_are_refused(styles_dir, style, style_gan, photo_image, caplog):
    content = EncodeContent.execute(style_gan, photo_image)[0]
    Generate.execute(style_gan, content, style)
    Generate.execute(style_gan, content, LoadStyle.execute(DEFAULT_STYLE)[0])
    Generate.execute(style_gan, content, Style(style.code, style.structure_layers))  # nobody knows whose
    assert caplog.records == []
    foreign = Style(style.code, style.structure_layers, "0123456789abcdef")
    sentence = r"another network's style encoder \(0123456789abcdef\), so this network cannot read it; encode"
    for use in (
        lambda: Generate.execute(style_gan, content, foreign),
        lambda: PaintVideo.execute(style_gan, photo_image, foreign),
        lambda: PaintPhoto.execute(photo_image, style=foreign, style_gan=style_gan),
        lambda: SaveStyle.execute(foreign, "foreign", style_gan=style_gan),
    ):
        with pytest.raises(ValueError, match=sentence):
            use()


def test_a_style_of_another_shape_is_refused(small_gan, photo_image):
    content = EncodeContent.execute(small_gan, photo_image)[0]
    style = LoadStyle.execute(DEFAULT_STYLE)[0]
    with pytest.raises(ValueError, match="encode the style with the connected network"):
        Generate.execute(small_gan, content, style)
    with pytest.raises(ValueError, match="encode the style with the same checkpoint"):
        Generate.execute(small_gan, content, Style(style.code, style.structure_layers))  # nobody knows whose


def test_a_mix_keeps_the_fingerprint_only_if_all_agree(style, batch, caplog):
    assert MixStyles.execute(style, style_2=batch)[0].encoder == style.encoder
    unknown = Style(style.code, style.structure_layers)
    assert MixStyles.execute(style, style_2=unknown)[0].encoder is None
    assert caplog.records == []
    other = Style(style.code, style.structure_layers, "0123456789abcdef")
    for node in (MixStyles, InterpolateStyles):
        with pytest.raises(ValueError, match=r"different networks' style encoders \(0123456789abcdef, "):
            node.execute(style, style_2=other)
    with pytest.raises(ValueError, match="so they do not go together; encode all with one network"):
        MaskStyle.execute(style, other, torch.ones(1, 8, 8))


def test_a_mix_of_unknown_origin_can_be_saved(styles_dir, style):
    SaveStyle.execute(Style(style.code, style.structure_layers), "mix")
    assert LoadStyle.execute("mix.safetensors")[0].encoder is None


def test_pictures_of_one_size_become_an_image(photo_image):
    from PIL import Image

    pixels = (photo_image[0].numpy() * 255).round().astype(np.uint8)
    image = from_pil([Image.fromarray(pixels), Image.fromarray(pixels).convert("L")])
    torch.testing.assert_close(image[0], photo_image[0])
    assert image.shape == (2, *photo_image.shape[1:])
