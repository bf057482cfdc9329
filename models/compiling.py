"""Networks that `torch.compile` can write code for."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..base.settings import check_choice


class Compilable(nn.Module):
    """A network with PyTorch's `compile`, which refuses a mode that PyTorch does not have at once."""

    def compile(self, *args: Any, mode: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401  # as PyTorch's own
        """Let `torch.compile` write code for this network; it takes the same arguments.

        With `mode` "reduce-overhead", code for a GPU of CUDA replays CUDA graphs, one for each size of
        pictures and of batches; PyTorch bounds how many it keeps. Raises ValueError, one sentence, for a mode
        that the installed PyTorch does not have.
        """
        if mode is not None and kwargs.get("backend", "inductor") == "inductor":
            check_mode(mode)
        super().compile(*args, mode=mode, **kwargs)


def check_mode(mode: str) -> None:
    """Raise ValueError, one sentence, for a mode that the installed PyTorch does not have."""
    # It loads the compiler, which most programs never need.
    from torch._inductor import list_mode_options

    check_choice("mode", mode, list_mode_options())
