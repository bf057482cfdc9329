"""Fit the map from style codes to colours anew, for a network whose other weights stay as they are.

    python -m scripts.fit_colors DATA OUT [--start FILE]

DATA holds content/, style/ and split.json; the paintings of its training split are encoded. OUT is the
checkpoint with the new map (`models/coded_colors.py`). Training from scratch does the same at its end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from brushwork.base.counts import counted
from brushwork.base.shipped import DEFAULT_CHECKPOINT
from brushwork.dataset.collection import photos_and_paintings
from brushwork.models import StyleGAN
from brushwork.models.checkpoint import open_checkpoint
from brushwork.models.coded_colors import CodedColors
from brushwork.training.painter import codes_and_colors


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m scripts.fit_colors", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of content/, style/ and split.json")
    parser.add_argument("out", type=Path, metavar="OUT", help="the new checkpoint")
    parser.add_argument("--start", type=Path, default=DEFAULT_CHECKPOINT, metavar="FILE", help="the network")
    chosen = parser.parse_args(arguments)
    try:
        _, paintings = photos_and_paintings(
            chosen.data / "content", chosen.data / "style", chosen.data / "split.json"
        )
        gan = StyleGAN.load(chosen.start)
        with open_checkpoint(chosen.start) as file:
            thumbnail = file.header.get("thumbnail")
        colors = CodedColors.fit(*codes_and_colors(gan, paintings.train))
        if colors is None:
            number = counted(len(paintings.train), "painting")
            raise ValueError(
                f"The codes of {number} say too little about the colours of others; give more paintings, 150 "
                "or so, or a network that is trained further."
            )
        gan.set_colors(colors)
        gan.save(chosen.out, extra={"thumbnail": thumbnail} if thumbnail else None)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"scripts.fit_colors: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
