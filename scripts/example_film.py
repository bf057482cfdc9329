"""Make the short film that comes with the workflow paint_film: a camera that moves over a photo that ships.

    python -m scripts.example_film

It lasts two seconds, so that a CPU paints it soon. It has no sound.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from PIL import Image

from brushwork.base.shipped import EXAMPLE_FILM, SHIPPED_INPUTS
from brushwork.pictures.reading import read_picture

PHOTO = SHIPPED_INPUTS / "photo-city-singapore.jpg"
WIDTH, HEIGHT = 448, 256
RATE, COUNT = 12, 24
# Left, top and width of what the camera sees, in parts of the photo's width: at the beginning and at the end.
BEGIN, END = (0.02, 0.02, 0.72), (0.26, 0.14, 0.62)


def frames() -> Iterator[Image.Image]:
    photo = read_picture(PHOTO)
    for i in range(COUNT):
        part = i / (COUNT - 1)
        left, top, width = (
            photo.width * (begin + part * (end - begin)) for begin, end in zip(BEGIN, END, strict=True)
        )
        box = (left, top, left + width, top + width * HEIGHT / WIDTH)
        yield photo.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box)


def main() -> None:
    with av.open(str(EXAMPLE_FILM), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryslow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")))
        container.mux(stream.encode(None))
    print(f"{EXAMPLE_FILM}  {EXAMPLE_FILM.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
