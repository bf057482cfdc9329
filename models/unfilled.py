"""Networks whose weights are about to be read: nothing is drawn for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

# PyTorch's layers ask by the names in `init`, and what these call is not asked about again.
_DRAWING = {Tensor.normal_, Tensor.uniform_, init.kaiming_uniform_, init.normal_, init.uniform_}


class Unfilled(TorchFunctionMode):
    """Inside, new weights hold whatever was in their memory: to draw them would cost more than to read them.

    PyTorch's own generator of random numbers stays where it is, so that loading a network does not change
    what another program draws next. Only for networks all of whose weights are read afterwards.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever the function returns
        if func in _DRAWING:
            return args[0] if args else (kwargs or {})["tensor"]
        if func is torch.randn:
            return torch.empty(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))
