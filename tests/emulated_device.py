"""A GPU that is not there: tensors that say they are on `mps`, and refuse what Apple's GPU refuses.

They compute on the CPU, so every result can be compared with the CPU's. They raise what PyTorch raises for
float64, for operators without a kernel for Apple's GPU in PyTorch 2.7 (its `native_functions.yaml` and the
messages in its library), and for tensors of two devices in one operation. Nothing of the computer's own
devices is needed.

    with emulated_device() as device:
        gan.to(device).stylize(photo.to(device), artwork.to(device)).cpu()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

DEVICE = torch.device("mps")

NO_FLOAT64 = (
    "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. Please use "
    "float32 instead."
)

# Of the operators without a kernel those that a network or a picture may meet.
_LACKING_NAMES = """
_cdist_backward _cummax_helper _cummin_helper _linalg_eigh _linalg_eigvals _linalg_svd _logcumsumexp
_standard_gamma _unique _upsample_bicubic2d_aa _upsample_bicubic2d_aa_backward
_upsample_bilinear2d_aa_backward batch_norm_update_stats binomial cholesky_inverse col2im erfc erfc_
fractional_max_pool2d grid_sampler_2d_backward grid_sampler_3d hardshrink heaviside heaviside_
index_copy index_copy_ index_reduce index_reduce_ linalg_eig linalg_householder_product linalg_lu
linalg_lu_solve linalg_matrix_exp linalg_qr log_normal_ logit_ max_unpool2d
"""
LACKING = frozenset(_LACKING_NAMES.split())

# In inference mode these arrive whole; the operators that they are made of may be lacking.
_MADE_OF_OTHERS = ("adaptive_avg_pool2d", "grid_sampler", "linalg_eigh", "linalg_svd")

# Tensors of two devices may meet here.
_BETWEEN_DEVICES = ("copy_", "index", "index_put_", "_index_put_impl_", "index_put")


class OnDevice(Tensor):
    """A tensor on the emulated device; `held` has its values, on the CPU."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> OnDevice:
        made = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device="cpu",
        )
        made.held = held
        return made

    device = property(lambda self: DEVICE)  # type: ignore[assignment]
    is_mps = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = property(lambda self: False)  # type: ignore[assignment]

    def __repr__(self, **_: object) -> str:
        return f"OnDevice({self.held!r})"

    def tolist(self) -> Any:
        return self.held.tolist()

    def numpy(self, **_: object) -> Any:
        raise TypeError("can't convert mps:0 device type tensor to numpy. Use Tensor.cpu() first.")

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: Any, kwargs: Any) -> Any:
    name = func._schema.name.split("::")[1]
    _refuse_what_is_lacking(name, args)
    tensors: list[Tensor] = []
    held_args, held_kwargs = _each((args, kwargs), lambda value: _held(value, tensors))
    if name not in _BETWEEN_DEVICES and any(not isinstance(t, OnDevice) and t.dim() for t in tensors):
        raise RuntimeError(f"Expected all tensors to be on the same device, but {name} got mps:0 and cpu!")
    if name in _MADE_OF_OTHERS:
        return func.decompose(*args, **kwargs)
    found = func(*held_args, **held_kwargs)
    if func._schema.is_mutable:
        # What was changed in place is the tensor that was given.
        changed = [
            args[i] if i < len(args) else kwargs[argument.name]
            for i, argument in enumerate(func._schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ]
        return changed[0] if len(changed) == 1 and found is not None else None
    return _each(found, _wrapped)


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` with all in it changed. Operators take and give tuples, lists and dictionaries: PyTorch's own
    `tree_map` looks for much else, at every operator."""
    if type(value) is tuple or type(value) is list:
        return type(value)([_each(each, change) for each in value])
    if type(value) is dict:
        return {name: _each(each, change) for name, each in value.items()}
    return change(value)


def _refuse_what_is_lacking(name: str, args: Any) -> None:
    if name in LACKING:
        raise NotImplementedError(
            f"The operator 'aten::{name}' is not currently implemented for the MPS device."
        )
    if name == "grid_sampler_2d" and args[2] == 2:
        raise RuntimeError("MPS: Unsupported Bicubic interpolation")
    if name == "grid_sampler_2d" and args[3] == 1:
        raise RuntimeError("MPS: Unsupported Border padding mode")
    if name == "_adaptive_avg_pool2d" and any(
        side % wanted for side, wanted in zip(args[0].shape[-2:], args[1], strict=True)
    ):
        raise RuntimeError("Adaptive pool MPS: input sizes must be divisible by output sizes.")


def _held(value: Any, tensors: list[Tensor] | None = None) -> Any:
    """A tensor on the emulated device as one on the CPU; all `tensors` are noted."""
    if tensors is not None and isinstance(value, Tensor):
        tensors.append(value)
    return value.held if isinstance(value, OnDevice) else value


def _wrapped(value: Any) -> Any:
    if not isinstance(value, Tensor) or isinstance(value, OnDevice):
        return value
    if value.dtype == torch.float64:
        raise TypeError(NO_FLOAT64)
    return OnDevice(value)


def _is_device(device: Any) -> bool:
    return device is not None and torch.device(device).type == DEVICE.type


class _Transfers(TorchFunctionMode):
    """Moves tensors to the device and back, and makes them there."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.to:
            return _to(func, *args, **kwargs)
        if func is torch._has_compatible_shallow_copy_type:
            return False  # parameters on another device are other tensors
        if func is Tensor.new_tensor and isinstance(args[0], OnDevice):
            return _wrapped(func(args[0].held, *args[1:], **kwargs))
        if func is Tensor.cpu and isinstance(args[0], OnDevice):
            return args[0].detach().held
        if _is_device(kwargs.get("device")):
            kwargs["device"] = "cpu"
            return tree_map(_wrapped, func(*tree_map(_held, args), **tree_map(_held, kwargs)))
        return func(*args, **kwargs)


def _to(func: Callable[..., Tensor], x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    for given in args:
        if isinstance(given, Tensor):
            device, dtype = given.device, given.dtype
        elif isinstance(given, str | torch.device):
            device = given
        elif isinstance(given, torch.dtype):
            dtype = given
    dtype = dtype or x.dtype
    there = isinstance(x, OnDevice) if device is None else _is_device(device)
    if there and dtype == torch.float64:
        raise TypeError(NO_FLOAT64)
    if isinstance(x, OnDevice) == there:
        return func(x, dtype, **kwargs)
    moved = func(x.detach().held if isinstance(x, OnDevice) else x.detach(), dtype, **kwargs)
    return OnDevice(moved) if there else moved


@contextmanager
def emulated_device() -> Iterator[torch.device]:
    """Inside, `mps` is a device to which tensors and modules can be moved."""
    with _Transfers():
        yield DEVICE
