"""What the content code holds."""

from __future__ import annotations

import torch

from brushwork.models.content_encoder import ContentCode


def test_code_shapes(frozen_tiny):
    image = torch.rand(2, 3, 37, 50)
    code = frozen_tiny.encode_content(image)
    assert code.fine.shape == (2, 8, 10, 14)
    assert code.coarse.shape == (2, 12, 5, 7)
    assert code.wide.shape == (2, 10, 3, 4)
    assert code.widest.shape == (2, 10, 2, 2)
    assert code.size == (37, 50)
    assert code.batch == 2
    assert code.image is image


def test_features_are_instance_normalised(frozen_tiny, photo):
    code = frozen_tiny.encode_content(photo)
    for features in code.maps.values():
        assert features.mean((2, 3)).abs().max() < 1e-4
        deviation = features.var((2, 3), unbiased=False).sqrt()
        assert deviation.max() <= 1 + 1e-4
        assert deviation.min() > 0.95


def test_contrast_hardly_changes_the_code(gan, photo):
    """The normalisation takes a picture's contrast out; a rotated picture shows what a change is."""
    low = gan.encode_content(photo * 0.5 + 0.25)
    code, turned = gan.encode_content(photo), gan.encode_content(photo.flip(-2))
    change = (low.coarse - code.coarse).square().mean()
    assert change < 0.25 * (turned.coarse - code.coarse).square().mean()


def test_each_picture_of_a_batch_is_encoded_by_itself(frozen_tiny):
    images = torch.rand(3, 3, 24, 40)
    together = frozen_tiny.encode_content(images)
    for i in range(3):
        alone = frozen_tiny.encode_content(images[i : i + 1])
        for name, features in alone.maps.items():
            torch.testing.assert_close(together[i : i + 1].maps[name], features, atol=1e-5, rtol=1e-4)


def test_slices_and_repeats(frozen_tiny):
    code = frozen_tiny.encode_content(torch.rand(3, 3, 16, 16))
    assert code[1:].batch == 2
    assert code.expand(3) is code
    repeated = code[:1].expand(5)
    assert [repeated.batch, *(len(features) for features in repeated.maps.values())] == [5] * 5
    assert repeated.fine.data_ptr() == code.fine.data_ptr()
    assert repeated.size == code.size


def test_moves_as_one(frozen_tiny):
    code = frozen_tiny.encode_content(torch.rand(1, 3, 16, 16)).to("meta")
    assert {each.device.type for each in (*code.maps.values(), code.image)} == {"meta"}
    assert code.corner.device.type == "cpu"


def test_pictures_go_apart_and_together_again(frozen_tiny):
    code = frozen_tiny.encode_content(torch.rand(3, 3, 17, 22))
    pictures = [code.picture(i) for i in range(3)]
    assert [picture.batch for picture in pictures] == [1, 1, 1]
    together = ContentCode.cat(pictures)
    for name in ("fine", "coarse", "wide", "widest", "image", "corner"):
        assert torch.equal(getattr(together, name), getattr(code, name))
        assert torch.equal(getattr(pictures[2], name), getattr(code, name)[2:])
    only = pictures[1]
    assert torch.equal(only.picture(7).fine, only.fine), "the only one is for all"
    assert ContentCode.cat([only]) is only
