"""Perceptual hashes: they recognise a picture after scaling, compression or a change of tone.

pHash after C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010): the
signs of the 8x8 lowest frequencies of a 32x32 grey picture about their median, 64 bits.

docs/history.md has the measurements of how far apart two hashes may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

NEAR, NEAR_MIRRORED = 10, 8
"""The distances up to which two pictures count as near-duplicates, as they are and with one mirrored."""

_BITS = 64
_SIDE, _LOW = 32, 8
_BLOCK = 512  # rows of the table of distances that are in memory at once
_FLAT = 2.0
_PLACES = np.arange(_SIDE)
# DCT-II without its constant factors, since they do not change the comparison with the median.
_DCT = np.cos(np.pi * np.outer(_PLACES[:_LOW], 2 * _PLACES + 1) / (2 * _SIDE))


class PerceptualHash(NamedTuple):
    """64 bits of a picture, and 64 of its mirror image, since half of all training crops are mirrored."""

    bits: int
    mirrored: int


def perceptual_hash(image: Image.Image) -> PerceptualHash | None:
    """The hash of an RGB or grey picture of any size.

    None for a picture with almost no light and dark: its hash would be noise.
    """
    gray = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    if np.asarray(gray).std() < _FLAT:
        return None
    return PerceptualHash(_phash(gray), _phash(ImageOps.mirror(gray)))


def near_duplicates(hashes: Sequence[PerceptualHash | None]) -> list[int]:
    """For each picture the index of the first one of its group; for a picture without copies its own index.

    Two belong together if their hashes differ in at most `NEAR` bits, if one and the other's mirror image
    differ in at most `NEAR_MIRRORED`, or if others link them. A picture without a hash has no copies.
    """
    first = list(range(len(hashes)))
    known = {i: entry for i, entry in enumerate(hashes) if entry is not None}
    if not known:
        return first
    hashed = list(known)
    bits = _signs([entry.bits for entry in known.values()])
    mirrored = _signs([entry.mirrored for entry in known.values()])
    for start in range(0, len(hashed), _BLOCK):
        rows = slice(start, start + _BLOCK)
        # The product of two rows of ones and minus ones is the number of equal bits minus that of other bits.
        near = bits[rows] @ bits.T >= _BITS - 2 * NEAR
        near |= bits[rows] @ mirrored.T >= _BITS - 2 * NEAR_MIRRORED
        for row, column in np.argwhere(near):
            _join(first, hashed[start + row], hashed[column])
    return [_root(first, i) for i in range(len(first))]


def _phash(gray: Image.Image) -> int:
    low = (_DCT @ np.asarray(gray, dtype=np.float64) @ _DCT.T).ravel()
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


def _signs(hashes: Sequence[int]) -> np.ndarray:
    """[N,64] float32: 1 for a bit that is set, -1 for one that is not."""
    packed = np.frombuffer(b"".join(value.to_bytes(_BITS // 8, "big") for value in hashes), dtype=np.uint8)
    return np.unpackbits(packed).reshape(-1, _BITS).astype(np.float32) * 2 - 1


def _root(first: list[int], index: int) -> int:
    while first[index] != index:
        first[index] = first[first[index]]
        index = first[index]
    return index


def _join(first: list[int], a: int, b: int) -> None:
    a, b = _root(first, a), _root(first, b)
    first[max(a, b)] = min(a, b)
