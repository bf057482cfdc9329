"""L-BFGS: PyTorch's steps, on a batch of problems, and gradients that are not finite."""

from __future__ import annotations

import pytest
import torch

from brushwork.painting.lbfgs import LBFGS


@pytest.fixture(scope="module")
def problem():
    """f(x) = sum a (x - b)^2 / 2 + (x - b)^4 of pictures [B,3,5,7]: its gradient, and where it is lowest."""
    generator = torch.Generator().manual_seed(0)
    steep = torch.rand(2, 3, 5, 7, generator=generator) * 20 + 0.1
    lowest = 0.4 + 0.2 * torch.rand(2, 3, 5, 7, generator=generator)
    return lambda x: steep * (x - lowest) + 4 * (x - lowest) ** 3, lowest


def run(gradient_of, picture, steps, **options):
    lbfgs = LBFGS(dtype=torch.float32, **options)
    for _ in range(steps):
        picture = picture + lbfgs.step(gradient_of(picture))
    return picture


def test_it_finds_the_minimum_where_steepest_descent_does_not(problem):
    gradient_of, lowest = problem
    start = torch.full_like(lowest, 0.5)
    found = run(gradient_of, start, 40)
    assert (found - lowest).abs().max() < 1e-3
    descent = start
    for _ in range(40):
        descent = descent - gradient_of(descent) / 23
    assert (descent - lowest).abs().max() > 3e-2


def test_steps_are_pytorchs(problem):
    """From the second on: the first has a length of its own. So both are given the same first step."""
    gradient_of, lowest = problem
    ours = torch.full_like(lowest[:1], 0.5)
    theirs = ours.clone().requires_grad_()
    first = LBFGS(dtype=torch.float32).step(gradient_of(ours)[:1])
    # PyTorch's first step is -lr * gradient * min(1, 1 / |gradient|_1).
    gradient = gradient_of(ours)[:1]
    rate = float((first / -gradient).mean() / min(1.0, 1 / float(gradient.abs().sum())))
    torch_lbfgs = torch.optim.LBFGS([theirs], lr=rate, max_iter=1, history_size=5)
    lbfgs = LBFGS(dtype=torch.float32)
    for _ in range(9):

        def closure():
            theirs.grad = gradient_of(theirs.detach())[:1]
            return theirs.grad.sum()

        torch_lbfgs.step(closure)
        torch_lbfgs.param_groups[0]["lr"] = 1.0
        ours = ours + lbfgs.step(gradient_of(ours)[:1])
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_pictures_of_a_batch_are_problems_of_their_own(problem):
    gradient_of, lowest = problem
    start = torch.full_like(lowest, 0.5)
    both = run(gradient_of, start, 12)
    for i in range(2):
        alone = run(lambda x, i=i: gradient_of(x.expand(2, -1, -1, -1))[i : i + 1], start[i : i + 1], 12)
        assert torch.allclose(both[i : i + 1], alone, atol=1e-5)


def test_half_the_memory_finds_the_minimum_too(problem):
    gradient_of, lowest = problem
    picture, lbfgs = torch.full_like(lowest, 0.5), LBFGS(history=3)
    for _ in range(60):
        picture = picture + lbfgs.step(gradient_of(picture))
    assert (picture - lowest).abs().max() < 1e-2
    assert len(lbfgs._pairs) == 3
    assert {pair[0].dtype for pair in lbfgs._pairs} == {torch.bfloat16}


@pytest.mark.parametrize("bad", [0, 1, 5])
def test_a_gradient_that_is_not_finite_moves_nothing(problem, bad):
    gradient_of, lowest = problem
    picture, lbfgs = torch.full_like(lowest, 0.5), LBFGS(dtype=torch.float32)
    for i in range(40):
        gradient = gradient_of(picture)
        if i == bad:
            gradient[1, 0, 0, 0] = torch.nan
        step = lbfgs.step(gradient)
        assert torch.isfinite(step).all()
        if i == bad:
            assert not step[1].any()
            assert step[0].any()
        picture = picture + step
    assert (picture - lowest).abs().max() < 1e-2


def test_no_step_is_longer_than_a_tenth_of_the_range():
    lbfgs = LBFGS(dtype=torch.float32)
    picture = torch.zeros(1, 3, 4, 4)
    for _ in range(5):
        # A slope that hardly bends: by its curvature the minimum is far away.
        step = lbfgs.step(-1 + 1e-3 * picture)
        assert float(step.square().mean().sqrt()) <= 0.1 + 1e-6
        picture = picture + step
    assert float(picture.mean()) > 0.2
