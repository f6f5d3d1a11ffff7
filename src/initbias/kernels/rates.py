"""What the kernels of an activation say of the rate from a random initial output, without a spectrum.

On S^d with a bias ρ = (1 + ⟨x, z⟩)/2, and what is singular at coincident inputs sets how eigenvalues fall.
The NNGP kernel of ReLU^p is analytic but for a term S (1 − ρ)^(p + ½), the NTK but for one of power p − ½;
(1 − ρ)^β has on harmonics of degree k the eigenvalue

    Γ(d) Γ(β + d/2) / (Γ(d/2) Γ(−β)) · Γ(k − β)/Γ(k + β + d) ≍ k^(−(d + 2β)).

Flow until the time t learns degrees up to K ≍ t^(1/a), a = d + 2p − 1. The initial output leaves
q g A K^(−b) with b = 2p + 1, label noise q B K^d σ²/n, and the best K gives the rate n^(−b/(b + d)) with a
constant that knows only the NNGP kernel: g is its eigenvalues' leading coefficient (docs/activations.md).
"""

from math import acosh, factorial, gamma, pi, sqrt

from initbias import arguments

# Of unit vectors and one layer: the coefficient S, and κ'(1), by which 1 − ρ grows from layer to layer.
SINGULAR = {1: (2 * sqrt(2) / (3 * pi), 1.0), 2: (-16 * sqrt(2) / (45 * pi), 4 / 3)}


def start_exponent(power: int, intrinsic_dim: int) -> float:
    """Exponent (2p+1)/(d+2p+1) of the risk from a random initial output, for ReLU^p."""
    order = 2 * arguments.whole("power", power) + 1
    return order / (arguments.whole("intrinsic_dim", intrinsic_dim) + order)


def eigenvalue_decays(power: int, intrinsic_dim: int) -> tuple[float, float]:
    """Exponents (d+2p−1)/d and (d+2p+1)/d by which eigenvalues of NTK and NNGP fall in their index."""
    dimension = arguments.whole("intrinsic_dim", intrinsic_dim)
    middle = dimension + 2 * arguments.whole("power", power)
    return (middle - 1) / dimension, (middle + 1) / dimension


def start_constant(power: int, intrinsic_dim: int, depth: int) -> float:
    """C of the risk C (σ²/n)^((2p+1)/(d+2p+1)) as n grows, of flow with a bias stopped at its best time.

    Args:
        power: p of ReLU^p, 1 or 2.
        intrinsic_dim: d.
        depth: number of hidden layers.

    Raises:
        ValueError: another power, or a dimension or depth below 1.
    """
    if power not in SINGULAR:
        raise ValueError(f"power must be 1 or 2: got {power!r}")
    d, layers = arguments.whole("intrinsic_dim", intrinsic_dim), arguments.whole("depth", depth)
    (first, slope), beta = SINGULAR[power], power + 0.5
    singular = sum(first * slope ** (layers - 1 - layer + layer * beta) for layer in range(layers))
    g = 2 * singular * gamma(d) * gamma(beta + d / 2) / (gamma(d / 2) * gamma(-beta))
    a, b = d + 2 * power - 1, 2 * power + 1
    left = gamma(b / a) * 2 ** (-b / a) / a  # A = ∫ x^(−b−1) exp(−2 x^(−a)) dx
    noise = gamma(-d / a) * (2 ** (d / a) - 2) / a  # B = ∫ x^(d−1) (1 − exp(−x^(−a)))² dx
    best = (b * g * left / (d * noise)) ** (d / (b + d))  # K^d (σ²/n)^(d/(b+d))
    return 2 / factorial(d - 1) * noise * best * (1 + d / b)


def degrees_per_log(singularity: float) -> float:
    """1/log R, where eigenvalues on S^d fall as R^(−k): degrees that are learned by each unit of log n.

    Args:
        singularity: where on ρ > 1 the dual of an analytic activation has its singularity.

    Raises:
        ValueError: a singularity that is not above 1.
    """
    place = 2 * arguments.number("singularity", singularity, above=1) - 1  # of ⟨x, z⟩
    return 1 / acosh(place)
