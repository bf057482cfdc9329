"""Draw the style library on one sheet: two shipped photos in every style, its name, artist and year.

    python -m scripts.style_sheet docs/styles.jpg                 # the library as it is
    python -m scripts.style_sheet docs/styles.jpg --encode DIR    # first encode it anew

DIR holds the paintings that the catalogue of the library names.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from brushwork.base.files import write_atomically
from brushwork.cli.main import main as run_brushwork
from brushwork.models import StyleGAN
from brushwork.models.style_file import StyleFile, read_style
from brushwork.pictures.lettering import accented_font, writable
from brushwork.pictures.tensors import as_picture, load_picture

# The repository, since its files are written. The package may be installed elsewhere.
ROOT = Path(__file__).resolve().parents[1]
INPUTS = ROOT / "workflows" / "inputs"
LIBRARY = ROOT / "weights" / "styles"
# A wide landscape and an upright portrait: width for a height of 1.
PHOTOS = {"photo-landscape-lake-sherburne": 4 / 3, "photo-portrait-astronaut": 3 / 4}
COLUMNS = 4
HEIGHT = 140
GAP = 8
WHITE, BLACK, GRAY = (255, 255, 255), (0, 0, 0), (90, 90, 90)
# Painted larger than shown; otherwise brush marks would be as coarse as windows.
PAINTED_HEIGHT = 224
NAME_SIZE, ARTIST_SIZE = 16, 14
CAPTION = 46
CAPTION_MARGIN = 4
LARGEST_FILE = 500_000


def encode_library(paintings: Path, checkpoint: Path | None) -> None:
    """Write every style of the catalogue anew. Raises SystemExit if `brushwork encode` fails."""
    arguments = ["encode", "--catalogue", str(LIBRARY / "catalogue.csv"), "--out", str(LIBRARY)]
    for folder in (INPUTS, paintings):
        arguments += ["--pictures-dir", str(folder)]
    arguments += ["--checkpoint", str(checkpoint)] if checkpoint else []
    if code := run_brushwork(arguments):
        raise SystemExit(code)


def draw_library(gan: StyleGAN, styles: Sequence[StyleFile]) -> Image.Image:
    """All `styles` in rows of four cells, in the order given."""
    contents = [(gan.encode_content(_cropped(name, shape)), shape) for name, shape in PHOTOS.items()]
    widths = [round(HEIGHT * shape) for _, shape in contents]
    cell = sum(widths) + 2 * (len(widths) - 1)
    rows = -(-len(styles) // COLUMNS)
    size = (GAP + COLUMNS * (cell + 2 * GAP) - GAP, GAP + rows * (HEIGHT + CAPTION))
    sheet = Image.new("RGB", size, WHITE)
    for i, style in enumerate(styles):
        left, top = GAP + i % COLUMNS * (cell + 2 * GAP), GAP + i // COLUMNS * (HEIGHT + CAPTION)
        _caption(ImageDraw.Draw(sheet), style, left, top + HEIGHT, cell)
        for (content, _), width in zip(contents, widths, strict=True):
            painted = as_picture(gan.generate(content, style.code[None]))
            sheet.paste(painted.resize((width, HEIGHT), Image.Resampling.LANCZOS), (left, top))
            left += width + 2
    return sheet


def encode_jpeg(sheet: Image.Image) -> bytes:
    """The best JPEG of at most 500 kB, of quality 32 or more; a larger one if there is none."""
    data = b""
    for quality in range(90, 30, -2):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        data = buffer.getvalue()
        if len(data) <= LARGEST_FILE:
            break
    return data


def _cropped(name: str, shape: float) -> Tensor:
    """[1,3,H,W]: the middle of a photo that ships, `shape` times as wide as high."""
    photo = load_picture(INPUTS / f"{name}.jpg", PAINTED_HEIGHT)
    height, width = photo.shape[2:]
    wide = min(width, round(height * shape))
    left = (width - wide) // 2
    return photo[..., left : left + wide]


def _caption(pen: ImageDraw.ImageDraw, style: StyleFile, left: int, top: int, width: int) -> None:
    lines = [(style.name, NAME_SIZE, BLACK, 3), (f"{style.artist}, {style.year}", ARTIST_SIZE, GRAY, 23)]
    for text, size, color, down in lines:
        # Long captions get smaller letters, so that they end before the next cell.
        while (letters := accented_font(size)).getlength(writable(text)) > width - CAPTION_MARGIN:
            size -= 1
        pen.text((left, top + down), writable(text), fill=color, font=letters)


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m scripts.style_sheet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the sheet, a JPEG")
    parser.add_argument("--encode", type=Path, metavar="DIR", help="encode the library anew first")
    parser.add_argument("--checkpoint", type=Path, help="default: the shipped one")
    args = parser.parse_args()

    if args.encode:
        encode_library(args.encode, args.checkpoint)
    gan = StyleGAN.load(args.checkpoint) if args.checkpoint else StyleGAN.default()
    styles = [read_style(path) for path in sorted(LIBRARY.glob("*.safetensors"))]
    with torch.inference_mode():
        sheet = draw_library(gan, styles)
    data = encode_jpeg(sheet)
    write_atomically(args.out, data)
    print(f"wrote {args.out}, {len(styles)} styles, {sheet.width} x {sheet.height}, {len(data):,} bytes")


if __name__ == "__main__":
    main()
