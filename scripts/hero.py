"""Make the picture at the top of the README: shipped photos in the styles of shipped paintings.

python -m scripts.hero docs/hero.jpg
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from brushwork.base.files import write_atomically
from brushwork.base.shipped import SHIPPED_INPUTS
from brushwork.models import StyleGAN
from brushwork.training.runs.style_sheet import style_sheet

PHOTOS = ("photo-portrait-astronaut", "photo-city-singapore", "photo-landscape-lake-sherburne")
PAINTINGS = (
    "art-vangogh-starry-night",
    "art-hokusai-great-wave",
    "art-monet-woman-with-a-parasol",
    "art-kandinsky-composition-viii",
    "art-engraving-dore",
)


def main() -> None:
    parser = argparse.ArgumentParser("python -m scripts.hero", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="the picture, a JPEG")
    parser.add_argument("--checkpoint", type=Path, help="default: the shipped one")
    parser.add_argument("--side", type=int, default=512, help="pixels they are painted at (default 512)")
    args = parser.parse_args()

    gan = StyleGAN.load(args.checkpoint) if args.checkpoint else StyleGAN.default()
    photos, paintings = ([SHIPPED_INPUTS / f"{name}.jpg" for name in names] for names in (PHOTOS, PAINTINGS))
    sheet = style_sheet(gan, photos, paintings, args.side)
    sheet.thumbnail((1800, 1800))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=88)
    write_atomically(args.out, buffer.getvalue())
    print(f"wrote {args.out}, {sheet.width} x {sheet.height}")


if __name__ == "__main__":
    main()
