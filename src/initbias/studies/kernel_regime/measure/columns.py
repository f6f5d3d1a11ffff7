"""Columns of measurements, of which each experiment has values for its own."""

from initbias.study.columns import (
    DEPTH,
    ENDED,
    INITIALIZATION,
    INPUT_DIM,
    INTRINSIC_DIM,
    NOISE_STD,
    SAMPLE_SIZE,
    SEED,
    Column,
)

TRAINED = {
    "sup_error": "largest distance of the network from kernel gradient descent over training and test points",
    "rms_error": "root of the mean squared distance over the same points",
    "loss": "half of the mean squared error on the training labels",
    "kernel_distance": "of the initial empirical kernel on the training points from that of infinite "
    "width, Frobenius norm, relative to the latter; the same at all times of a run",
    "kernel_change": "of the empirical kernel from initialization to the end of training, relative; the same "
    "at all times of a run",
    "slowest_mode": "share of its slowest mode that gradient descent leaves with the initial empirical "
    "kernel, or with the exact one; the larger of the two",
}

UNTRAINED = {
    "excess_kurtosis": "of the initial output: mean over networks and points of its fourth Hermite "
    "polynomial in units of the NNGP, with the mean over output weights in closed form",
    "covariance_chi2": "of the covariance of initial outputs against the NNGP, Nagao's statistic per degree "
    "of freedom; 1 in the mean for the Gaussian process",
}

SHIFTED = {
    "error": "mean squared error at the test points of kernel gradient flow from a random function f_0 on f*",
    "shifted_error": "the same of the flow from zero on f* − f_0",
}

COLUMNS = (
    Column(
        "experiment",
        "`networks` that are trained (A-S1), their `initial_outputs` (A-S1), `shifted_target` (A-S2)",
        text=True,
    ),
    INITIALIZATION,
    INTRINSIC_DIM,
    INPUT_DIM,
    NOISE_STD,
    DEPTH,
    Column("width", "neurons of each hidden layer; a mirrored network has two such halves"),
    SAMPLE_SIZE,
    Column("points", "at which initial outputs are taken"),
    Column("networks", "of a seed, whose initial outputs are taken"),
    SEED,
    Column("time", "learning rate × epochs, or that of gradient flow; 0 is initialization"),
    *(Column(name, meaning) for name, meaning in (TRAINED | UNTRAINED | SHIFTED).items()),
    *ENDED,
)
