"""Who validates when there are few pictures: stable, never empty, near-duplicates together."""

from __future__ import annotations

import random

import pytest

from brushwork.dataset.splits import hash_split, validation_split

NAMES = [f"monet-{i:03}.jpg" for i in range(60)]


def test_every_picture_is_on_one_side_and_order_does_not_matter() -> None:
    train, val = validation_split(NAMES, 0.2, seed=3)
    assert sorted(train + val) == list(range(60))
    assert len(val) == 12
    shuffled = random.Random(1).sample(NAMES, len(NAMES))
    again = validation_split(shuffled, 0.2, seed=3)
    assert {shuffled[i] for i in again[1]} == {NAMES[i] for i in val}
    assert again == (sorted(again[0]), sorted(again[1]))


def test_the_seed_draws_others() -> None:
    draws = {tuple(validation_split(NAMES, 0.2, seed=seed)[1]) for seed in range(8)}
    assert len(draws) == 8


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("count", [*range(4, 21), 60])
def test_at_least_one_at_most_half_and_near_the_share(count: int, share: float) -> None:
    train, val = validation_split(NAMES[:count], share)
    assert 1 <= len(val) <= len(train)
    assert abs(len(val) - share * count) <= 0.5 or len(val) == 1


@pytest.mark.parametrize(("count", "share"), [(0, 0.5), (1, 0.5), (3, 0.5), (20, 0.0)])
def test_too_few_pictures_or_no_share_means_no_validation(count: int, share: float) -> None:
    assert validation_split(NAMES[:count], share) == (list(range(count)), [])


def test_another_picture_moves_at_most_one_of_the_others() -> None:
    kept = 0
    for count in range(5, 60):
        before, after = ({NAMES[i] for i in validation_split(NAMES[:n], 0.2)[1]} for n in (count - 1, count))
        moved = (before ^ after) - {NAMES[count - 1]}
        assert len(moved) <= 1
        kept += not moved
    assert kept > 30  # most of the time nothing moves at all


def test_near_duplicates_stay_together() -> None:
    groups = [i // 3 for i in range(60)]
    for seed in range(10):
        train, val = validation_split(NAMES, 0.1, seed, groups)
        assert len(val) == 6
        assert not {groups[i] for i in train} & {groups[i] for i in val}


def test_a_large_group_gives_way_to_single_pictures() -> None:
    groups = ["same"] * 15 + ["a", "b", "c", "d", "e"]
    for seed in range(10):
        val = validation_split(NAMES[:20], 0.1, seed, groups)[1]
        assert len(val) == 2
        assert min(val) >= 15


def test_groups_larger_than_the_share_give_the_smallest_up_to_half() -> None:
    assert validation_split(NAMES[:5], 0.1, groups=[0, 1, 0, 1, 0]) == ([0, 2, 4], [1, 3])
    assert validation_split(NAMES[:5], 0.5, groups=[0] * 5) == ([0, 1, 2, 3, 4], [])


def test_equal_names_are_one_picture() -> None:
    for seed in range(10):
        train, val = validation_split(["a", "b", "c", "a", "d", "a"], 0.5, seed)
        assert not {0, 3, 5} & set(val) or {0, 3, 5} <= set(val)
        assert train


@pytest.mark.parametrize("share", [-0.1, 0.6, float("nan")])
def test_refuses_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ValueError, match=r"The validation share is .*; give a number from 0 to 0.5"):
        validation_split(NAMES, share)


def test_refuses_groups_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="There are 2 group ids for 60 pictures"):
        validation_split(NAMES, 0.1, groups=[1, 2])


def test_hash_split_is_stable_and_about_80_10_10() -> None:
    splits = [hash_split(f"folder/{i}.jpg") for i in range(5000)]
    shares = [splits.count(name) / 5000 for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.015)
