"""What kernels take on one core, from operation counts and a measured rate."""

OPERATIONS = 3e10  # a second, float64, of decompositions and products at n of about 1,000

ENTRY = 1.5e-8  # seconds for both kernels of a pair of points


def dense_seconds(operations: float) -> float:
    """Seconds of so many floating-point operations on dense matrices."""
    return operations / OPERATIONS


def eigendecomposition_seconds(n: int) -> float:
    """Seconds to decompose a kernel matrix of n points, with its eigenvectors."""
    return dense_seconds(9 * float(n) ** 3)


def large_ridge_seconds(n: int, points: int) -> float:
    """Seconds of ridge regression by one factorisation, evaluated at so many points."""
    entries = float(n) * n
    return dense_seconds(entries * n / 3 + 4 * entries * points) + ENTRY * entries


def equivalent_seconds(*, ridges: int = 0, times: int = 0, flow_terms: int = 0) -> float:
    """Seconds of deterministic equivalents on one sphere, with its spectrum.

    Args:
        ridges: for how many sizes, noise levels and initializations the best ridge is found.
        times: the same of the best time of gradient flow.
        flow_terms: at how many times the terms of the flow's risk are computed.
    """
    return 1.0 + 0.012 * ridges + 0.06 * times + 0.004 * flow_terms
