"""What a person hands over: every public function takes any form of it alike, or refuses it by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias import arguments, datasets, kernels, networks, statistics
from initbias.networks.modules import check, rescaled

N, DIM = 6, 3
DRAW = np.random.default_rng(0)
# Multiples of 1/8, which float16 and float32 hold as float64 does.
X = DRAW.integers(-16, 17, (N, DIM)) / 8 + np.eye(N, DIM)
Z = DRAW.integers(-16, 17, (4, DIM)) / 8 + 1
Y = DRAW.integers(-16, 17, (N, 1)) / 8
SIGNS = np.where(DRAW.random((2, N)) < 0.5, -1.0, 1.0)
ON_SPHERE = np.array([[1, 0, 0], [0, 1, 0], [0, 0, -1], [0, -1, 0]], dtype=float)
KERNEL = np.round(8 * X @ X.T + 64 * np.eye(N)) / 8
CROSS = DRAW.integers(-16, 17, (4, N)) / 8
VALUES = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
TIMES = np.array([0.5, 2.0, 64.0])
EPOCHS = np.array([1.0, 4.0, 128.0])
FIRST, SECOND = (DRAW.integers(-16, 17, (1, *shape)) / 8 for shape in ((DIM, 4), (4, 1)))
WIDE = DRAW.integers(-16, 17, (2, 5)) / 8
RIGHT = DRAW.integers(1, 17, (2, 1)) / 8
CHAIN = [DRAW.integers(-16, 17, shape) / 8 for shape in ((5, 4), (4, 1))]
SYSTEM = networks.underdetermined(WIDE, RIGHT)
SOLUTION = SYSTEM.min_norm + networks.in_null_space(SYSTEM, np.ones((5, 1)))
SIZES = np.array([8.0, 16, 32, 64, 128, 256])
RISKS = np.array([1.0, 0.75, 0.5, 0.375, 0.25, 0.1875])
SPECTRUM, SQUARES = VALUES[None, ::-1].copy(), RISKS[None] ** 2
NODES = kernels.SphereSpectrum(np.arange(6.0), 2 * np.arange(6.0) + 1, SPECTRUM[0], SPECTRUM[0])


def net(widths: tuple[int, ...] = (5,), **options: Any) -> networks.Networks:
    generators = [np.random.default_rng(seed) for seed in range(2)]
    architecture = networks.Architecture(DIM, widths, **options)
    return networks.initialize(generators, architecture, "mirrored")


def trained(widths: tuple[int, ...], x: Any, y: Any, z: Any) -> Any:
    run = networks.train(net(widths), x, y, learning_rate=0.125, record=networks.Record([0, 5], z))
    return run.outputs, run.losses


ONE = networks.initialize([np.random.default_rng(0)], networks.Architecture(DIM, (5,)))
ROUNDED = tuple(np.round(8 * weights) / 8 for weights in ONE.weights)
FLOW = kernels.KernelFlow(KERNEL)
FILTERS = np.round(8 * kernels.flow_filter(FLOW.eigenvalues, TIMES).numpy()) / 8


# Each with the arrays that it takes: the same numbers in another form give the same result.
ENDS = ("value", "low", "high")


def ridge_terms(found: kernels.LargeRidge) -> list[Any]:
    return [found.risk.bias, found.risk.variance, found.risk.start]


def largest(found: networks.Largest) -> list[Any]:
    return [found.outputs, found.gradients]


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "train, fused": (lambda x, y, z: trained((5,), x, y, z), (X, Y, Z)),
    "train, layered": (lambda x, y, z: trained((5, 4), x, y, z), (X, Y, Z)),
    "large_ridge": (
        lambda x, z, f, g: ridge_terms(kernels.large_ridge(x, z, f, g, 2.0, depth=1)),
        (X, Z, X[:, 0], Z[:, 0]),
    ),
    "flipped_chi2": (
        lambda x: [getattr(statistics.flipped_chi2([x], np.random.default_rng(0)), end) for end in ENDS],
        (X.T,),
    ),
    "speedup": (statistics.speedup, (TIMES, 1 / TIMES, 2 / TIMES)),
    "linear_bound": (lambda s, x: networks.linear_bound(s, 0.5, x), (X[:, 0] ** 2, X)),
    "Networks": (
        lambda *w: networks.empirical_ntk(networks.Networks(ONE.architecture, w), X), ROUNDED
    ),
    "evaluate": (lambda z: networks.evaluate(net(), z), (Z,)),
    "empirical_ntk": (lambda x: networks.empirical_ntk(net(), x), (X,)),
    "layer_ntks": (lambda x: networks.layer_ntks(net(), x), (X,)),
    "ascend": (lambda x, signs: networks.ascend(ONE, x, signs, 1.0, steps=3).correlations, (X, SIGNS)),
    "climb_to_largest": (
        lambda x: largest(networks.climb_to_largest(ONE, x, 1.0, steps=3)), (X,)
    ),
    "draw_largest": (
        lambda x: largest(
            networks.draw_largest(ONE, x, 1.0, draws=2, generator=np.random.default_rng(0))
        ),
        (X,),
    ),
    "follow_flow": (
        lambda x, y: networks.follow_flow(ONE, x, y, learning_rate=0.125, levels=[1e-3], steps=3).losses,
        (X, Y),
    ),
    "least_squares": (lambda a, b: networks.least_squares(a, b).min_norm, (X, Y)),
    "descend": (
        lambda first, second, a, b: networks.descend(
            [first, second], a, b, learning_rate=2**-8, record_iterations=[0, 7]
        ).products,
        (FIRST, SECOND, X, Y),
    ),
    "flow": (
        lambda first, second, a, b: networks.flow([first, second], a, b, times=[0.25]).products,
        (FIRST, SECOND, X, Y),
    ),
    "compress": (lambda first, second: networks.compress(first, second)[0], (X, X.T)),
    "product": (lambda *layers: networks.product(layers), (X, X.T)),
    "underdetermined": (lambda a, b: networks.underdetermined(a, b).min_norm, (WIDE, RIGHT)),
    "in_row_space": (lambda v: networks.in_row_space(SYSTEM, v), (CHAIN[0],)),
    "in_null_space": (lambda v: networks.in_null_space(SYSTEM, v), (CHAIN[0],)),
    "predicted_limit": (lambda *w: networks.predicted_limit(SYSTEM, w, w), tuple(CHAIN)),
    "linear_tangent_kernel": (lambda a, *w: networks.linear_tangent_kernel(a, w), (WIDE, *CHAIN)),
    "min_norm_start": (lambda *w: networks.min_norm_start(SYSTEM, w), tuple(CHAIN)),
    "steered_start": (lambda *w: networks.steered_start(SYSTEM, SOLUTION, w, w), tuple(CHAIN)),
    "one_pass_start": (
        lambda u: networks.one_pass_start(SYSTEM, SOLUTION, u, 2, 0.5),
        (np.array([1.0, 2.0, -1.0]),),
    ),
    "bi_optimal": (lambda w: networks.bi_optimal(SYSTEM, w), (CHAIN[0],)),
    "bi_optimality_gap": (lambda *w: networks.bi_optimality_gap(SYSTEM, *w), tuple(CHAIN)),
    "relu_kernels": (lambda x, z: kernels.relu_kernels(x, z, depth=2).ntk, (X, Z)),
    "activation_kernels": (
        lambda x, z: kernels.activation_kernels(x, z, activation="erf", depth=2).ntk, (X, Z)
    ),
    "train_one_layer": (
        lambda x, y, z: networks.train_one_layer(
            np.random.default_rng(0), x, y, z, activation="erf", factor=2.0, width=5,
            initialization="standard", learning_rate=0.125, epochs=[0, 5],
        ), (X, Y[:, 0], Z)
    ),
    "relu_diagonals": (lambda x: kernels.relu_diagonals(x, depth=2).nngp, (X,)),
    "ntk_product": (lambda x, z, v: kernels.ntk_product(x, z, v, depth=2), (Z, X, Y)),
    "flow_filter": (kernels.flow_filter, (VALUES, TIMES)),
    "descent_filter": (lambda values, times: kernels.descent_filter(values, times, 0.125), (VALUES, EPOCHS)),
    "ridge_filter": (lambda values, ridges: kernels.ridge_filter(values, ridges, 6), (VALUES, TIMES)),
    "KernelFlow": (lambda kernel: kernels.KernelFlow(kernel).eigenvalues, (KERNEL,)),
    "KernelFlow.change": (FLOW.change, (FILTERS, CROSS, Y)),
    "KernelFlow.averaged_risk": (
        lambda *given: FLOW.averaged_risk(*given).start,
        (FILTERS, CROSS, Y[:, 0], Z[:, 0], KERNEL, CROSS, VALUES[:4]),
    ),
    "krylov_change": (
        lambda x, z, y: kernels.krylov_change(
            x, z, y, lambda values: kernels.flow_filter(values, TIMES), depth=1
        ).change,
        (X, Z, Y),
    ),
    "sample_gaussian_process": (
        lambda k: kernels.sample_gaussian_process(k, np.random.default_rng(1)), (KERNEL,)
    ),
    "planted_covariance": (lambda x: kernels.planted_covariance(x, 0.5), (ON_SPHERE,)),
    "fit_power_law": (
        lambda n, risk: statistics.fit_power_law(n, risk, replicates=50).exponent.value, (SIZES, RISKS)
    ),
    "fit_means": (
        lambda *given: statistics.fit_means(*given, replicates=50).exponent.value,
        (SIZES, RISKS, RISKS / 64, np.full(6, 4.0)),
    ),
    "line": (statistics.line, (SIZES, RISKS)),
    "exponents": (statistics.exponents, (SIZES, RISKS)),
    "rank_correlation": (
        lambda x, y: [getattr(statistics.rank_correlation(x, y), end) for end in ENDS], (SIZES, RISKS)
    ),
    "student_interval": (lambda values: statistics.student_interval(values).high, (VALUES,)),
    "positive_interval": (lambda values: statistics.positive_interval(values).high, (VALUES,)),
    "ratio_interval": (lambda values: statistics.ratio_interval(values).high, (VALUES,)),
    "squared_coefficients": (
        lambda kernel, y: kernels.squared_coefficients(kernel, [y])[1][0], (KERNEL, Y)
    ),
    "mean_squared_coefficients": (
        lambda kernel, s: kernels.mean_squared_coefficients(kernel, [s])[1][0], (KERNEL, KERNEL)
    ),
    "sample_spectrum": (
        lambda squares: kernels.sample_spectrum(NODES, squares, 16, 4)[1], (SQUARES,)
    ),
    "tail_shares": (statistics.tail_shares, (VALUES,)),
    "fit_tails": (
        lambda values, squares: statistics.fit_tails(values, squares, 1, 1.0).slope, (SPECTRUM, SQUARES)
    ),
    "eigenvalue_smoothness": (
        lambda values, squares: statistics.eigenvalue_smoothness(values, squares, 0.5, 1, 1.0),
        (SPECTRUM, SQUARES),
    ),
    "encode": (lambda labels: datasets.encode(labels, "one_hot"), (np.array([0.0, 3.0, 1.0]),)),
    "normalise": (lambda pixels: datasets.normalise(pixels, "unit_norm"), (X,)),
}  # fmt: skip
# Public, and without an array among what they take.
WITHOUT = {
    "Architecture", "Ascent", "CrossEntropy", "Initialization", "LeastSquares", "LinearTrajectory",
    "PowerLoss", "Record", "Trajectory", "chain_seconds", "count_weights", "training_seconds",
    "dense_seconds", "eigendecomposition_seconds", "large_ridge_seconds", "equivalent_seconds", "LargeRidge",
    "ascent_seconds", "TwoLayer", "Descent", "descend_one", "balanced", "orthogonal_to",
    "crossing_bound", "distance_bound", "fraction_interval", "balanced_curvature", "alignment",
    "effective_rank", "smallest_l1", "Largest", "Path",
    "slowest_factor", "KernelRegression", "draw_split", "mean_cross_entropy", "stable_learning_rate",
     "layer_norms", "spectral_norm", "default_threads", "initialize", "KrylovChange", "planted_shares",
    "harmless_scale",
    "ReluKernels", "FlowEquivalent", "RidgeEquivalent", "SphereSpectrum", "sphere_spectrum", "LEVEL",
    "CorrectedPowerLaw", "FloorFit", "Curves", "Estimate", "PowerLawFit", "PurePowerLaw", "Verdict", "Window",
    "widening", "DATASETS", "TARGETS", "Dataset", "DatasetUnavailable",
    "LinearSample", "generator", "Encoding", "Normalisation", "TailFit",
    "ACTIVATIONS", "Activation", "degrees_per_log", "eigenvalue_decays", "start_constant",
    "start_exponent", "sphere_quadrature", "one_layer_seconds",
    "absent", "load_dataset", "sample_linear", "sample_sphere", "sample_underdetermined",
}  # fmt: skip


def read_only(values: np.ndarray) -> np.ndarray:
    copy = values.copy()
    copy.setflags(write=False)
    return copy


def strided(values: np.ndarray) -> np.ndarray:
    """Every second entry along each axis of an array twice as large."""
    large = np.full([2 * size for size in values.shape], 7.0)
    chosen = (slice(None, None, 2),) * values.ndim
    large[chosen] = values
    return large[chosen]


def reversed_view(values: np.ndarray) -> np.ndarray:
    everywhere = (slice(None, None, -1),) * values.ndim
    return values[everywhere].copy()[everywhere]


def broadcast(values: np.ndarray) -> np.ndarray:
    """With strides of zero where all entries along the first axis are equal, else a view."""
    first = values[:1]
    return np.broadcast_to(first, values.shape) if (values == first).all() else values.view()


def frame(values: np.ndarray) -> Any:
    return {1: pd.Series, 2: pd.DataFrame}[values.ndim](values) if values.ndim < 3 else values


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "Fortran order": np.asfortranarray,
    "strides": strided,
    "reversed": reversed_view,
    "read-only": read_only,
    "broadcast": broadcast,
    "float32": lambda values: values.astype(np.float32),
    "float16": lambda values: values.astype(np.float16),
    "other byte order": lambda values: values.astype(">f8"),
    "list": lambda values: values.tolist(),
    "data frame": frame,
    "data frame of objects": lambda values: frame(values.astype(object)),
    "tensor": torch.tensor,
    "float32 tensor": lambda values: torch.tensor(values, dtype=torch.float32),
    "tensor of other strides": lambda values: (
        torch.tensor(values.T.copy()).movedim(0, -1) if values.ndim < 3 else torch.tensor(values)
    ),
    "tensor with gradients": lambda values: torch.tensor(values, requires_grad=True),
}


def flattened(result: Any) -> np.ndarray:
    parts = result if isinstance(result, list | tuple) else [result]
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


@settings(max_examples=400, deadline=None, derandomize=True)
@given(name=st.sampled_from(sorted(FUNCTIONS)), draw=st.data())
def test_any_form_of_the_same_numbers_gives_the_same(name: str, draw: st.DataObject) -> None:
    function, given_arrays = FUNCTIONS[name]
    forms = [draw.draw(st.sampled_from(sorted(FORMS))) for _ in given_arrays]
    other = [FORMS[form](values) for form, values in zip(forms, given_arrays, strict=True)]
    np.testing.assert_array_equal(flattened(function(*other)), flattened(function(*given_arrays)))


def test_every_public_function_is_among_them() -> None:
    public = {
        name
        for package in (networks, kernels, statistics, datasets)
        for name in package.__all__
        if not name.startswith(("judge_", "not_measured"))  # of verdicts, which take estimates
    }
    assert public == WITHOUT | {name.split(",")[0].split(".")[0] for name in FUNCTIONS}


WRONG: dict[str, Callable[[np.ndarray], Any]] = {
    "NaN": lambda values: np.where(
        np.arange(values.size).reshape(values.shape) == 1, np.nan, values
    ),
    "infinity": lambda values: values - np.where(values == values.max(), np.inf, 0),
    "complex": lambda values: values + 0j,
    "text": lambda values: np.full(values.shape, "1.5"),
    "None": lambda values: None,
    "masked": lambda values: np.ma.masked_equal(values, values.flat[0]),
    "missing": lambda values: frame(np.where(values == values.max(), None, values.astype(object))),
}
OPTIONAL = {
    ("relu_kernels", 1),
    ("activation_kernels", 1),
    ("train", 2),
}  # x with itself; no outputs
# They give NaN for NaN, which is seen; networks that have diverged hold it.
PROPAGATED = {"Networks", "student_interval", "positive_interval", "ratio_interval", "product"}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - PROPAGATED))
def test_what_is_no_array_of_numbers_is_refused(name: str, wrong: str) -> None:
    function, given_arrays = FUNCTIONS[name]
    for place in range(len(given_arrays)):
        changed = list(given_arrays)
        changed[place] = WRONG[wrong](given_arrays[place])
        if wrong == "None" and (name.split(",")[0], place) in OPTIONAL:
            continue
        with pytest.raises(ValueError, match=r"must|masked|dense"):
            function(*changed)


def small(**options: Any) -> Any:
    chosen = {"learning_rate": 0.1, "record": networks.Record([0, 1], Z), **options}
    return networks.train(net(), X, Y, **chosen)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "depth 2.5": (lambda: kernels.relu_kernels(X, depth=2.5), "depth must be a whole number"),
    "depth 2.0": (lambda: kernels.sphere_spectrum(2, depth=2.0), "depth must be a whole number"),
    "depth True": (lambda: kernels.relu_diagonals(X, depth=True), "depth must be a whole number"),
    "depth text": (lambda: kernels.ntk_product(X, None, Y, depth="2"), "depth must be a whole number"),
    "no memory": (lambda: kernels.relu_kernels(X, depth=1, memory_budget=0), "memory_budget must be"),
    "another dimension": (lambda: kernels.relu_kernels(X, X[:, :2], depth=1), "equal input_dim"),
    "one axis": (lambda: kernels.relu_kernels(X[:, 0], depth=1), "inputs must be matrices"),
    "not symmetric": (
        lambda: kernels.KernelFlow(KERNEL + np.triu(np.ones((N, N)), 1)), "kernel must be symmetric"
    ),
    "not square": (lambda: kernels.KernelFlow(CROSS), "kernel must be a square matrix"),
    "covariance": (
        lambda: kernels.sample_gaussian_process(
            KERNEL + np.triu(np.ones((N, N)), 1), np.random.default_rng(0)
        ),
        "covariance must be symmetric",
    ),
    "cross transposed": (lambda: FLOW.change(FILTERS, CROSS.T, Y), "cross must have 6 columns"),
    "residual of another n": (lambda: FLOW.change(FILTERS, CROSS, Y[:4]), "residual must have 6 rows"),
    "negative time": (lambda: kernels.flow_filter(VALUES, [-1.0]), "times must be 0 or more"),
    "no time": (lambda: kernels.flow_filter(VALUES, [np.nan]), "times must be 0 or more: got .nan."),
    "negative ridge": (lambda: kernels.ridge_filter(VALUES, [-1.0], 6), "ridges must be 0 or more"),
    "half a sample": (lambda: kernels.ridge_filter(VALUES, [1.0], 6.5), "sample_size must be a whole"),
    "off the sphere": (lambda: kernels.planted_covariance(2 * ON_SPHERE, 0.5), "on the unit sphere"),
    "noise": (
        lambda: kernels.RidgeEquivalent(2, 1, np.nan, {1: 1.0}, "mirrored"), "noise_std must be"
    ),
    "share": (
        lambda: kernels.RidgeEquivalent(2, 1, 0.1, {1: np.inf}, "mirrored"), r"target\[1\] must be"
    ),
    "start": (lambda: kernels.RidgeEquivalent(2, 1, 0.1, {1: 1.0}, "zero"), "initialization must be"),
    "gpu": (lambda: small(device="gpu"), 'device must be "cpu" or "cuda": got .gpu.'),
    "rate of infinity": (lambda: small(learning_rate=np.inf), "learning_rate must be a finite number"),
    "rate of text": (lambda: small(learning_rate="0.1"), "learning_rate must be a finite number"),
    "half an epoch": (lambda: small(record=networks.Record([0, 1.5])), "record.epochs must be increasing"),
    "half a batch": (lambda: small(batch_size=2.5), "batch_size must be a whole number"),
    "seeds for generators": (
        lambda: small(batch_size=2, generators=[1, 2]), r"np.random.default_rng\(seed\): got int 1"
    ),
    "half a thread": (lambda: small(threads=1.5), "threads must be a whole number"),
    "beyond float32": (
        lambda: networks.train(net(), X * 1e300, Y, learning_rate=0.1, record=networks.Record([0], Z)),
        "inputs must be finite",
    ),
    "seeds": (
        lambda: networks.initialize([0, 1], networks.Architecture(3, (5,))),
        r"generators must be made by np.random.default_rng\(seed\): got int 0",
    ),
    "one generator": (
        lambda: networks.initialize(np.random.default_rng(0), networks.Architecture(3, (5,))),
        "generators must be a list",
    ),
    "a generator for several": (
        lambda: small(batch_size=2, generators=np.random.default_rng(0)), "generators must be a list"
    ),
    "a number of generators": (lambda: small(generators=7), "generators must be a list"),
    "a word for a loss": (lambda: small(loss="cross_entropy"), "loss must be a loss, such as"),
    "a class for a loss": (lambda: small(loss=networks.PowerLoss), "loss must be a loss, such as"),
    "a shape for networks": (
        lambda: networks.train(ONE.architecture, X, Y, learning_rate=0.1, record=networks.Record([0], Z)),
        "networks must be made by initialize",
    ),
    "one width": (lambda: networks.Architecture(3, 5), "widths must be a tuple"),
    "a word for a bias": (lambda: kernels.relu_kernels(X, depth=1, bias="none"), "bias must be True"),
    "a word for no bias": (lambda: kernels.sphere_spectrum(2, depth=1, bias="no"), "bias must be True"),
    "a word for zero": (
        lambda: networks.initialize(
            [np.random.default_rng(0)], ONE.architecture, zero_bias="no"
        ),
        "zero_bias must be True or False",
    ),
    "a word for a floor": (
        lambda: statistics.fit_power_law(SIZES, RISKS, floor="no"), "floor must be True or False"
    ),
    "half an epoch of descent": (
        lambda: kernels.descent_filter(VALUES, [2.5], 0.1), "epochs must be whole numbers"
    ),
    "an indefinite covariance": (
        lambda: kernels.sample_gaussian_process(
            [[1.0, 0, 0], [0, 0, 0.5], [0, 0.5, 0]], np.random.default_rng(0)
        ),
        "covariance must be positive semidefinite",
    ),
    "an infinite power": (lambda: networks.PowerLoss(np.inf), "power of a loss must be a finite number"),
    "a module that is not mirrored": (
        lambda: check(torch.nn.Linear(3, 1), torch.ones(2, 3)), "network must be a module that"
    ),
    "a scale of nothing": (lambda: rescaled(torch.nn.Linear(3, 1), np.nan), "alpha must be a finite"),
    "no replicates": (
        lambda: statistics.fit_power_law(SIZES, RISKS, replicates=0), "replicates must be a whole number"
    ),
    "half a seed": (
        lambda: statistics.fit_power_law(SIZES, RISKS, seed=1.5), "seed must be a whole number"
    ),
    "half a run": (
        lambda: statistics.fit_means([8, 16, 32, 64], [4, 3, 2, 1], [0.1] * 4, [2.5] * 4),
        "runs must be whole numbers",
    ),
    "an indefinite kernel": (
        lambda: kernels.KernelFlow([[1.0, 2.0], [2.0, 1.0]]), "kernel must be positive semidefinite"
    ),
    "no tolerance": (
        lambda: networks.flow([FIRST, SECOND], X, Y, times=[0.5], tolerance=np.nan),
        "tolerance must be a finite number above 0",
    ),
    "no threshold": (
        lambda: networks.descend(
            [FIRST, SECOND], X, Y, learning_rate=0.1, record_iterations=[1], threshold=np.nan
        ),
        "threshold must be a finite number",
    ),
    "gain": (
        lambda: networks.initialize(
            [np.random.default_rng(0)], networks.Architecture(3, (5,)), gain=np.nan
        ),
        "gain must be a finite number",
    ),
    "half a neuron": (lambda: networks.Architecture(3, (5.5,)), "widths must be a whole number"),
    "half an input": (lambda: networks.Architecture(3.5, (5,)), "input_dim must be a whole number"),
    "layers": (
        lambda: networks.Networks(ONE.architecture, ONE.weights[::-1]), "weights must be .* for each"
    ),
    "radius": (lambda: networks.ascend(ONE, X, SIGNS, np.nan, steps=1), "radius must be a finite"),
    "steps": (lambda: networks.ascend(ONE, X, SIGNS, 1.0, steps=1.5), "steps must be a whole"),
    "two rates for one": (
        lambda: networks.descend(
            [FIRST, SECOND], X, Y, learning_rate=[0.1, 0.2], record_iterations=[1]
        ),
        "learning_rate must be one number",
    ),
    "iterations": (
        lambda: networks.descend(
            [FIRST, SECOND], X, Y, learning_rate=0.1, record_iterations=[0.5]
        ),
        "record_iterations must be increasing integers",
    ),
    "direction": (
        lambda: networks.one_pass_start(SYSTEM, SOLUTION, np.zeros(3), 1, 1.0), "direction must not"
    ),
    "points": (lambda: datasets.sample_sphere(2.5, 3, np.random.default_rng(0)), "points must be"),
    "a seed": (lambda: datasets.sample_sphere(2, 3, 0), "generator must be made by"),
    "linear": (
        lambda: datasets.sample_linear("gaussian", 2, 3, np.random.default_rng(0), noise_std=-1),
        "noise_std must be a finite number of at least 0",
    ),
    "condition": (
        lambda: datasets.sample_underdetermined(2, 5, 1, np.inf, np.random.default_rng(0)),
        "condition must be a finite number",
    ),
    "columns": (
        lambda: datasets.sample_underdetermined(2, 5, 1.5, 2, np.random.default_rng(0)),
        "columns must be a whole number",
    ),
    "ragged": (lambda: kernels.relu_kernels([[1.0, 2.0], [3.0]], depth=1), "x must be an array"),
    "sparse": (
        lambda: kernels.relu_kernels(torch.eye(3).to_sparse(), depth=1), "x must be a dense tensor"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_out_of_their_range_are_named(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_a_cpu_by_its_number_is_the_cpu() -> None:
    assert arguments.device("device", torch.device("cpu:0")) == "cpu"


def test_a_gpu_where_there_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match='device is "cuda:1", but torch sees no GPU here'):
        arguments.device("device", "cuda:1")


def test_a_tensor_elsewhere_is_told_how_to_come_here() -> None:
    with pytest.raises(ValueError, match=r"inputs is on meta: hand over inputs.cpu\(\)"):
        networks.empirical_ntk(net(), torch.empty(2, 3, device="meta"))
