"""The recursion over layers on a CPU, in loops that the compiler vectorises.

Every operation is an addition, a multiplication, a division or a square root: arctan and sin t −
t cos t are polynomials without branches, exact to the last digits on their intervals. The loops are
compiled on first use and kept on disk.
"""

from math import pi

import numpy as np
from numba import njit

ROWS = 8  # that are computed before they are mirrored: a cache line of the result

# Products and sums may fuse; nothing may be reordered, since digits matter.
_compiled = njit(fastmath={"contract"}, error_model="numpy", nogil=True, cache=True)


@_compiled
def fill(u, v, u_norm, v_norm, depth, kernels, first_row, first_column, mirrored):  # type: ignore[no-untyped-def]
    """Write a tile of NTK and NNGP kernels.

    Args:
        u: directions of the rows, (rows, features).
        v: directions of the columns, transposed, (features, columns).
        u_norm: norms of the rows, (rows,).
        v_norm: norms of the columns, (columns,).
        depth: number of hidden layers.
        kernels: where to write, C-contiguous, (2, all rows, all columns).
        first_row: row of `kernels` in which the tile begins.
        first_column: column in which it begins.
        mirrored: whether to write the transposed tile, too, where a symmetric kernel has it.
    """
    features, columns = v.shape
    near = np.empty(columns)  # squared distance
    far = np.empty(columns)  # squared distance from the opposite point
    versine = np.empty(columns)  # 1 - cos of the angle between the images in a layer
    tile = np.empty((2, ROWS, columns))
    for first in range(0, len(u), ROWS):
        rows = min(ROWS, len(u) - first)
        for i in range(rows):
            row, tangent = first + i, tile[0, i]
            near[:] = 0
            far[:] = 0
            for k in range(features):
                coordinate = u[row, k]
                for j in range(columns):
                    near[j] += (coordinate - v[k, j]) ** 2
                    far[j] += (coordinate + v[k, j]) ** 2
            for j in range(columns):
                acute = near[j] < far[j]
                small = near[j] / 2 if acute else far[j] / 2
                angle, bend = _angle(small)  # of the supplement if not acute
                cosine = 1 - small if acute else small - 1
                versine[j] = small - bend if acute else 1 - bend
                tangent[j] = 1 - versine[j] + cosine * (1 - angle if acute else angle)
            for _ in range(depth - 1):  # images in deeper layers are at acute angles
                for j in range(columns):
                    angle, bend = _angle(versine[j])
                    versine[j] -= bend
                    tangent[j] = 1 - versine[j] + tangent[j] * (1 - angle)
            for j in range(columns):
                norms = u_norm[row] * v_norm[j]
                tile[0, i, j] *= norms
                tile[1, i, j] = norms * (1 - versine[j])
        for kernel, values in zip(kernels, tile):  # noqa: B905  # compiled code has no strict
            for i in range(rows):
                for j in range(columns):
                    kernel[first_row + first + i, first_column + j] = values[i, j]
            if mirrored:
                for j in range(columns):
                    for i in range(rows):
                        kernel[first_column + j, first_row + first + i] = values[i, j]


@_compiled
def _angle(versine):  # type: ignore[no-untyped-def]
    """Angle t and sin t − t cos t, both over π, for 1 − cos t between 0 and 1."""
    quarter = np.sqrt(versine / 2) / (1 + np.sqrt(1 - versine / 2))  # tangent of t / 4
    angle = 4 * quarter * _arctan(quarter * quarter)
    squared = angle * angle
    return angle * (1 / pi), angle * squared * _bend(squared) * (1 / pi)


# The polynomials interpolate at the Chebyshev nodes of their intervals; relative errors are below 1e-16.
# Taylor polynomials of the same accuracy are half again as long.


@_compiled
def _arctan(z):  # type: ignore[no-untyped-def]
    """arctan(√z)/√z for 0 ≤ z ≤ tan²(π/8) = 0.172."""
    # fmt: off
    return (1.0 + z*(-0.3333333333333312 + z*(0.19999999999940893 + z*(-0.14285714279250245
        + z*(0.11111110744919658 + z*(-0.09090896809064027 + z*(0.07692045330902225
        + z*(-0.06662951813629191 + z*(0.05846878297330872 + z*(-0.05035102456601552
        + z*(0.03796525745386593 + z*(-0.017805397205419446))))))))))))
    # fmt: on


@_compiled
def _bend(z):  # type: ignore[no-untyped-def]
    """(sin t − t cos t)/t³ at z = t² for 0 ≤ t ≤ π/2."""
    # fmt: off
    return (0.3333333333333333 + z*(-0.03333333333333302 + z*(0.0011904761904735213
        + z*(-2.204585537052989e-05 + z*(2.505210700562091e-07 + z*(-1.927073313617659e-09
        + z*(1.070029285604017e-11 + z*(-4.354531508319532e-14))))))))
    # fmt: on
