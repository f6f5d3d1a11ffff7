"""What a person hands over: in one form, or refused by the argument's name.

Compiled loops and libraries take the memory of an array for granted. Every public function passes what
it is given through here once, so that order, strides, number type and container make no difference.
"""

import operator
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

if TYPE_CHECKING:  # what can be named without the seconds that importing torch takes
    from torch import Tensor

SYMMETRIC = 1e-6  # of the largest entry; what float32 leaves of a symmetric matrix is closer


def array(
    name: str,
    values: Any,
    dtype: DTypeLike = np.float64,
    *,
    ndim: int | None = None,
    finite: bool = True,
) -> NDArray[Any]:
    """Real numbers as a contiguous array in C order.

    Args:
        name: of the argument, for messages.
        values: an array of any order, strides and number type, a list, a data frame or a tensor on the
            CPU; a tensor is detached.
        dtype: of the result.
        ndim: number of axes, if it is known.
        finite: refuse infinity and NaN, in this dtype.

    Raises:
        ValueError: anything else, or masked entries.
    """
    if hasattr(values, "detach"):  # a tensor
        if values.device.type != "cpu":
            raise ValueError(f"{name} is on {values.device}: hand over {name}.cpu()")
        values = values.detach()
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked entries: fill them or leave their rows out")
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if given.dtype.kind == "O" and all(isinstance(value, Real) for value in given.flat):
        given = given.astype(np.float64)
    if given.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} must be real numbers: got {type(values).__name__} of {given.dtype}"
        )
    if ndim is not None and given.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes: got the shape {given.shape}")
    with np.errstate(over="ignore"):
        result = np.require(given, dtype, ("C", "A"))
    if finite and not np.isfinite(result).all():
        raise ValueError(f"{name} must be finite{_place_of_first(result)}")
    return result


def tensor(name: str, values: Any, *, ndim: int | None = None, finite: bool = True) -> "Tensor":
    """Real numbers as a contiguous float64 tensor: on its device if it was one, else on the CPU.

    Gradients do not pass: a tensor is detached.

    Args:
        name: of the argument, for messages.
        values: as in `array`, or a tensor on any device.
        ndim: number of axes, if it is known.
        finite: refuse infinity and NaN.

    Raises:
        ValueError: anything else.
    """
    import torch

    if not isinstance(values, torch.Tensor):
        return torch.tensor(array(name, values, ndim=ndim, finite=finite))
    if values.is_complex() or values.layout != torch.strided:
        raise ValueError(f"{name} must be a dense tensor of real numbers: got {values.dtype}")
    if ndim is not None and values.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes: got the shape {tuple(values.shape)}")
    result = values.detach().to(torch.float64).contiguous()
    if finite and not torch.isfinite(result).all():
        raise ValueError(f"{name} must be finite{_place_of_first(result.cpu().numpy())}")
    return result


def symmetric(name: str, matrix: Any) -> None:
    """Check a square array or tensor.

    Raises:
        ValueError: the matrix is not square, or differs from its transpose by more than rounding.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ValueError(f"{name} must be a square matrix: got the shape {tuple(matrix.shape)}")
    difference, largest = float(abs(matrix - matrix.T).max()), float(abs(matrix).max())
    if difference > SYMMETRIC * largest:
        raise ValueError(
            f"{name} must be symmetric: entries differ from those across the diagonal by up to "
            f"{difference:.2g}, the largest is {largest:.2g}"
        )


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least this size.

    Raises:
        ValueError: anything else, 2.0 and True among it.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool) or number < least:
        raise ValueError(f"{name} must be a whole number from {least} on: got {value!r}")
    return number


def increasing(name: str, values: Any) -> list[int]:
    """Whole numbers from 0 on, such as the epochs to record, each above the one before.

    Raises:
        ValueError: anything else.
    """
    numbers = array(name, values, ndim=1)
    if not len(numbers) or (numbers % 1).any() or numbers[0] < 0 or (np.diff(numbers) <= 0).any():
        raise ValueError(f"{name} must be increasing integers from 0 or more")
    return [int(each) for each in numbers]


def number(
    name: str, value: Any, *, above: float | None = None, least: float | None = None
) -> float:
    """A finite real number, above a bound or at least a bound if there is one.

    Raises:
        ValueError: anything else.
    """
    rule = f" above {above:g}" if above is not None else ""
    rule += f" of at least {least:g}" if least is not None else ""
    single = isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
    if (
        not (single or isinstance(value, Real))
        or isinstance(value, bool)
        or not np.isfinite(float(value))
        or (above is not None and not value > above)
        or (least is not None and not value >= least)
    ):
        raise ValueError(f"{name} must be a finite number{rule}: got {value!r}")
    return float(value)


def generators(name: str, values: Any) -> list[np.random.Generator]:
    """NumPy generators.

    Raises:
        ValueError: something in the sequence is none.
    """
    if isinstance(values, np.random.Generator) or not isinstance(values, Sequence):
        raise ValueError(f"{name} must be a list of generators: got {values!r}")
    for value in values:
        generator(name, value)
    return list(values)


def generator(name: str, value: Any) -> np.random.Generator:
    """A NumPy generator.

    Raises:
        ValueError: anything else, such as a seed.
    """
    if not isinstance(value, np.random.Generator):
        raise ValueError(
            f"{name} must be made by np.random.default_rng(seed): got {type(value).__name__} {value!r}"
        )
    return value


def device(name: str, value: Any) -> str:
    """A device that torch can compute on here.

    Raises:
        ValueError: anything but "cpu" and "cuda", or a GPU where torch sees none.
    """
    kind, _, number_of = str(value).partition(":")
    if kind not in ("cpu", "cuda") or (number_of and not number_of.isdecimal()):
        raise ValueError(f'{name} must be "cpu" or "cuda": got {value!r}')
    if kind == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise ValueError(f'{name} is "{value}", but torch sees no GPU here: use "cpu"')
    return "cpu" if kind == "cpu" else str(value)


def flag(name: str, value: Any) -> bool:
    """True or False, and no word that would count as true.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, bool | np.bool):
        raise ValueError(f"{name} must be True or False: got {value!r}")
    return bool(value)


def _place_of_first(values: NDArray[Any]) -> str:
    place = np.argwhere(~np.isfinite(values))[0].tolist()
    return f": got {values[tuple(place)]} at {place}"
