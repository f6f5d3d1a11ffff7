"""Neural tangent kernel and network Gaussian process kernel of fully connected ReLU networks.

Convention (Chen, Li, Lin 2024, section 2): all parameters N(0, 1), layers scaled by sqrt(2 / width),
bias in the first layer only, where it acts as one more input coordinate that equals 1.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from math import isqrt
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from initbias import arguments
from initbias.kernels import fused, recursion

TILE_BYTES = {"cpu": 2**20}  # a tile of both kernels stays close to a core
LARGE_TILE_BYTES = 2**28  # on accelerators, of which each operation has to be kept busy
SUBMITTED = 256  # tiles that wait for a thread at once

Tile = tuple[slice, slice]
Result = TypeVar("Result")


@dataclass(frozen=True)
class ReluKernels:
    """Both kernels between the same points, float64: (rows, columns), or (points,) on the diagonal."""

    ntk: Tensor
    nngp: Tensor


def relu_kernels(
    x: Any,
    z: Any = None,
    *,
    depth: int,
    bias: bool = False,
    memory_budget: int | None = None,
) -> ReluKernels:
    """Exact NTK and NNGP kernels of an infinitely wide ReLU network.

    The recursion runs on the angle and on 1 - cos, never on arccos of a cosine, so that kernels of
    nearly coincident points keep all their digits (relative error near 1e-15). On a CPU as many
    threads take part as torch may use.

    Args:
        x: inputs of any norm, (rows, input_dim): a tensor, an array, a list or a data frame. No
            gradient passes to them: tensors are detached.
        z: other inputs, (columns, input_dim); left out, x with itself, computed once by symmetry.
        depth: number of hidden layers, at least 1.
        bias: whether the first layer has a trained bias, N(0, 1) at initialization.
        memory_budget: bytes of the tiles, 16 for each pair of points, that a thread works on; the
            recursion on accelerators takes about six times as much for its temporaries. Left out, a
            size that suits the device.

    Returns:
        The kernels on the device of x, (rows, columns).

    Raises:
        ValueError: depth or memory_budget that is no whole number from 1 on, or inputs that are not two
            matrices of finite numbers with equal numbers of columns on one device.
    """
    rows, columns = _pair(x, z, depth, bias)
    shape, device = (len(rows.norm), len(columns.norm)), rows.norm.device
    kernels = _empty(shape, device)

    def write(tile: Tile) -> None:
        row, column = tile
        first = row.start, column.start
        _write(rows, columns, tile, depth, kernels, first, mirrored=z is None)

    for _ in _each(write, _tiles(shape, device, memory_budget, symmetric=z is None), device):
        pass
    return ReluKernels(*kernels)


def relu_diagonals(x: Any, *, depth: int, bias: bool = False) -> ReluKernels:
    """Both kernels of each point with itself, (points,); arguments as in relu_kernels."""
    points, _ = _pair(x, None, depth, bias)
    return ReluKernels((depth + 1) * points.norm.square(), points.norm.square())


def ntk_product(
    x: Any,
    z: Any,
    vectors: Any,
    *,
    depth: int,
    bias: bool = False,
    memory_budget: int | None = None,
) -> Tensor:
    """NTK(x, z) times vectors, tile by tile and without ever storing the kernel.

    Each call computes the kernel anew, so it is best given all vectors at once.

    Args:
        x: inputs, (rows, input_dim).
        z: other inputs, (columns, input_dim); left out, x with itself, computed once by symmetry.
        vectors: columns to multiply, (columns, vectors).
        depth: number of hidden layers, at least 1.
        bias: whether the first layer has a trained bias.
        memory_budget: as in relu_kernels.

    Returns:
        (rows, vectors)

    Raises:
        ValueError: as in relu_kernels, or vectors whose number of rows is not that of z.
    """
    rows, columns = _pair(x, z, depth, bias)
    device = rows.norm.device
    vectors = arguments.tensor("vectors", vectors).to(device)
    if vectors.ndim != 2 or len(vectors) != len(columns.norm):
        raise ValueError(
            f"vectors must be of shape ({len(columns.norm)}, …), got {tuple(vectors.shape)}"
        )

    def multiply(tile: Tile) -> list[tuple[slice, Tensor]]:
        row, column = tile
        kernels = _empty((row.stop - row.start, column.stop - column.start), device)
        _write(rows, columns, tile, depth, kernels)
        products = [(row, kernels[0] @ vectors[column])]
        if z is None and row != column:
            products.append((column, kernels[0].T @ vectors[row]))
        return products

    result = rows.norm.new_zeros(len(rows.norm), vectors.shape[1])
    shape = len(rows.norm), len(columns.norm)
    tiles = _tiles(shape, device, memory_budget, symmetric=z is None)
    for products in _each(multiply, tiles, device):  # in order: equal for any number of threads
        for part, product in products:
            result[part] += product
    return result


def over_tiles(
    use: Callable[[slice, slice, ReluKernels], Result],
    x: Any,
    z: Any = None,
    *,
    depth: int,
    bias: bool = False,
    memory_budget: int | None = None,
) -> Iterator[Result]:
    """What a function of rows, columns and both kernels there gives for each tile, in order.

    Args:
        use: is called by as many threads as torch may use, each with other tiles; its kernels are of shape
            (rows, columns).
        x: inputs, (rows, input_dim).
        z: other inputs, (columns, input_dim); left out, x with itself, of which tiles left of the
            diagonal are left out.
        depth: number of hidden layers, at least 1.
        bias: whether the first layer has a trained bias.
        memory_budget: as in relu_kernels.

    Raises:
        ValueError: as in relu_kernels.
    """
    rows, columns = _pair(x, z, depth, bias)
    device = rows.norm.device

    def compute(tile: Tile) -> Result:
        row, column = tile
        kernels = _empty((row.stop - row.start, column.stop - column.start), device)
        _write(rows, columns, tile, depth, kernels)
        return use(row, column, ReluKernels(*kernels))

    shape = len(rows.norm), len(columns.norm)
    yield from _each(compute, _tiles(shape, device, memory_budget, symmetric=z is None), device)


class _Points(NamedTuple):
    """Inputs as the first layer sees them."""

    direction: Tensor  # unit vectors, zero where the input is zero, (points, features)
    norm: Tensor  # (points,)


def _pair(x: Any, z: Any, depth: int, bias: bool) -> tuple[_Points, _Points]:
    """Checked inputs of rows and columns."""
    arguments.whole("depth", depth)
    arguments.flag("bias", bias)
    first = arguments.tensor("x", x)
    second = first if z is None or z is x else arguments.tensor("z", z)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            "inputs must be matrices with equal input_dim, "
            f"got shapes {tuple(first.shape)} and {tuple(second.shape)}"
        )
    if first.device != second.device:
        raise ValueError(f"x is on {first.device} and z on {second.device}: move one to the other")
    rows = _points(first, bias)
    return rows, rows if second is first else _points(second, bias)


def _points(x: Tensor, bias: bool) -> _Points:
    if bias:
        x = torch.cat([x, x.new_ones(len(x), 1)], dim=1)  # (points, input_dim + 1)
    norm = x.norm(dim=1)
    return _Points(x / norm.where(norm > 0, torch.ones_like(norm))[:, None], norm)


def _fuses(device: torch.device) -> bool:
    return device.type == "cpu"


def _empty(shape: tuple[int, int], device: torch.device) -> Tensor:
    """Room for both kernels; NumPy asks for large pages, which are written faster for the first time."""
    if device.type == "cpu":
        return torch.from_numpy(np.empty((2, *shape)))
    return torch.empty(2, *shape, dtype=torch.float64, device=device)


def _write(
    rows: _Points,
    columns: _Points,
    tile: Tile,
    depth: int,
    kernels: Tensor,
    first: tuple[int, int] = (0, 0),
    mirrored: bool = False,
) -> None:
    """Write the kernels of a tile from a row and column of `kernels` on; if mirrored, transposed too."""
    row, column = tile
    u, u_norm = rows.direction[row], rows.norm[row]
    v, v_norm = columns.direction[column], columns.norm[column]
    if _fuses(kernels.device):
        transposed = np.ascontiguousarray(v.T.numpy())  # (features, columns)
        arrays = u.numpy(), transposed, u_norm.numpy(), v_norm.numpy()
        fused.fill(*arrays, depth, kernels.numpy(), *first, mirrored)
        return
    values = recursion.unit_kernels(u, v, depth).mul_(u_norm[:, None] * v_norm)
    place = tuple(slice(start, start + n) for start, n in zip(first, values.shape[1:], strict=True))
    if mirrored:
        kernels[:, *reversed(place)] = values.mT
    kernels[:, *place] = values


def _tiles(
    shape: tuple[int, int], device: torch.device, memory_budget: int | None, symmetric: bool
) -> Iterator[Tile]:
    """Squares that cover the kernel, or its upper triangle."""
    budget = TILE_BYTES.get(device.type, LARGE_TILE_BYTES)
    if memory_budget is not None:
        budget = arguments.whole("memory_budget", memory_budget)
    side = max(1, isqrt(budget // 16))
    rows, columns = (
        [slice(start, min(start + side, count)) for start in range(0, count, side)]
        for count in shape
    )
    for row in rows:
        for column in columns:
            if not symmetric or row.start <= column.start:
                yield row, column


def _each(
    compute: Callable[[Tile], Result], tiles: Iterator[Tile], device: torch.device
) -> Iterator[Result]:
    """What `compute` gives for each tile, in order, by as many threads as torch may use on a CPU."""
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    if threads == 1:
        yield from map(compute, tiles)
        return
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(tiles, SUBMITTED)):
            yield from pool.map(compute, batch)
