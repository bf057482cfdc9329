"""Between Pillow and tensors."""

from __future__ import annotations

import os
import sys
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.pictures.tensors import as_picture, as_tensor, load_square, pixels, resize_shorter


def test_resize_shorter_keeps_proportion() -> None:
    assert resize_shorter(Image.new("RGB", (300, 200)), 100).size == (150, 100)
    assert resize_shorter(Image.new("RGB", (10, 1000)), 20).size == (20, 2000)


def test_there_and_back() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(levels)
    image = as_tensor(picture)
    assert (image.shape, image.dtype) == ((1, 3, 5, 7), torch.float32)
    assert image[0, 2, 4, 6] == levels[4, 6, 2] / np.float32(255)
    for again in (as_picture(image), as_picture(image[0])):
        assert np.array_equal(np.asarray(again), levels)
    assert torch.equal(pixels(picture), torch.from_numpy(levels).permute(2, 0, 1))


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads that Linux lists")
def test_a_thread_that_reads_pictures_starts_no_others() -> None:
    """More threads of OpenMP than cores would slow down the one that paints."""
    picture = Image.new("RGB", (1000, 1000), "teal")
    read, counted_it = threading.Event(), threading.Event()

    def reading() -> None:
        as_tensor(picture)
        read.set()
        counted_it.wait(60)

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        as_tensor(picture)
        before = len(os.listdir("/proc/self/task"))
        thread = threading.Thread(target=reading)
        thread.start()
        assert read.wait(60)
        beside = len(os.listdir("/proc/self/task")) - before
        counted_it.set()
        thread.join()
    finally:
        torch.set_num_threads(threads)
    assert beside == 1


def test_values_are_rounded_and_clamped() -> None:
    image = torch.tensor([-0.1, 0.4999 / 255, 0.5001 / 255, 1.2]).expand(3, 1, 4)
    assert np.asarray(as_picture(image))[0, :, 0].tolist() == [0, 0, 1, 255]


def test_a_batch_of_several_is_no_picture() -> None:
    with pytest.raises(RuntimeError):
        as_picture(torch.zeros(2, 3, 4, 4))


def test_the_middle_square() -> None:
    picture = Image.new("RGB", (30, 10), "red")
    picture.paste("blue", (10, 0, 20, 10))
    square = load_square(picture, 10)
    assert square.shape == (1, 3, 10, 10)
    assert torch.equal(square, torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 10, 10))
