"""What not every device can do, and PyTorch's defaults, which another pack may have changed.

The lists are those of PyTorch 2.7, the oldest that Brushwork runs on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import torch
from torch import Tensor

from ..base.excerpt import excerpt

# Other GPUs (Apple's, Intel Arc, DirectML) have no float64 at all.
_WITH_FLOAT64 = ("cpu", "cuda")

# Apple's GPU has no bicubic antialiasing, no `grid_sample` that is bicubic or repeats borders, and no means
# over cells of unequal sizes. Intel's has them.
_WITH_ALL_SAMPLING = ("cpu", "cuda", "xpu")

_WITH_AUTOCAST = ("cpu", "cuda", "mps", "xpu")


def usable_device(name: str, refusal: str) -> torch.device:
    """The device of this name. Raises ValueError with the sentence `refusal` if it cannot be used here.

    Also for 'meta', where tensors have no values. The name takes the place of {} in `refusal`.
    """
    try:
        with warnings.catch_warnings():
            # Names that PyTorch will drop are no devices to compute on.
            warnings.simplefilter("ignore")
            device = torch.device(name)
        torch.zeros(1, device=device).item()
    # ImportError: some names, such as hpu, need a package of their own.
    except (RuntimeError, AssertionError, TypeError, ImportError) as error:
        raise ValueError(refusal.format(excerpt(str(name)) or "''")) from error
    return device


def in_float64(x: Tensor) -> Tensor:
    """`x` as float64: where it is, if its device has float64, otherwise on the CPU."""
    return (x if x.device.type in _WITH_FLOAT64 else x.cpu()).double()


def with_float64(compute: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """`compute(*tensors)`, a function that needs float64: on the CPU if their device has none.

    The result, which is not float64 itself, is on the device of the first tensor.
    """
    return _computed(_WITH_FLOAT64, compute, tensors)


def sampled(sample: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """`sample(*tensors)`, a function that resizes or moves pictures: on the CPU if their device cannot do it.

    The result is on the device of the first tensor. Gradients pass through.
    """
    return _computed(_WITH_ALL_SAMPLING, sample, tensors)


def _computed(devices: Sequence[str], compute: Callable[..., Tensor], tensors: Sequence[Tensor]) -> Tensor:
    device = tensors[0].device
    if device.type in devices:
        return compute(*tensors)
    return compute(*(tensor.cpu() for tensor in tensors)).to(device)


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Computes in the types of the tensors. Some devices, such as DirectML's, never do anything else."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


@contextmanager
def own_defaults(keep_autocast: bool = False) -> Iterator[None]:
    """Inside, new tensors are float32 and on the CPU, and nothing is computed in 16 bits, unless the code
    inside says otherwise.

    This is how PyTorch starts. `torch.set_default_dtype` and `torch.set_default_device` are for a whole
    process and `torch.autocast` is for a thread, and another pack of ComfyUI may have left them changed.
    `keep_autocast` is for those that a program may call under torch.autocast, to be faster.
    """
    dtype = torch.get_default_dtype()
    elsewhere = torch.get_default_device().type != "cpu"
    if dtype != torch.float32:
        torch.set_default_dtype(torch.float32)
    try:
        with ExitStack() as modes:
            # Modes that watch every call cost time, so only where they are needed.
            if elsewhere:
                modes.enter_context(torch.device("cpu"))
            for kind in _WITH_AUTOCAST:
                if not keep_autocast and _is_autocast(kind):
                    modes.enter_context(torch.autocast(kind, enabled=False))
            yield
    finally:
        if dtype != torch.float32:
            torch.set_default_dtype(dtype)


def _is_autocast(kind: str) -> bool:
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
