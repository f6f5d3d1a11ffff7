"""What kernels take on one core, from operation counts and a measured rate."""

OPERATIONS = 3e10  # a second, float64, of decompositions and products at n of about 1,000


def dense_seconds(operations: float) -> float:
    """Seconds of so many floating-point operations on dense matrices."""
    return operations / OPERATIONS


def eigendecomposition_seconds(n: int) -> float:
    """Seconds to decompose a kernel matrix of n points, with its eigenvectors."""
    return dense_seconds(9 * float(n) ** 3)
