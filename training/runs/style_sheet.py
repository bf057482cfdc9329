"""Sample sheets: photos down, paintings across, and each pair's picture between them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from ...models import StyleGAN
from ...pictures.reading import Picture
from ...pictures.tensors import as_picture, load_square


@torch.no_grad()
def style_sheet(
    gan: StyleGAN, photos: Sequence[Picture], paintings: Sequence[Picture], side: int
) -> Image.Image:
    """One row per photo, one column per painting, `side` pixels each, originals at the edges."""
    device = next(gan.parameters()).device
    styles = [load_square(path, side).to(device) for path in paintings]
    codes = [gan.encode_style(style) for style in styles]
    sheet = Image.new("RGB", ((len(paintings) + 1) * side, (len(photos) + 1) * side), "white")
    for column, style in enumerate(styles, 1):
        sheet.paste(as_picture(style[0]), (column * side, 0))
    for row, path in enumerate(photos, 1):
        photo = load_square(path, side).to(device)
        sheet.paste(as_picture(photo[0]), (0, row * side))
        content = gan.encode_content(photo)
        for column, code in enumerate(codes, 1):
            sheet.paste(as_picture(gan.generate(content, code)[0]), (column * side, row * side))
    return sheet
