"""Figures and tables of the error-rates study."""

from initbias.study.outputs import Output

OUTPUTS = {
    "rates": Output(
        "figure",
        "The rates of both initializations on spheres: excess risk at the best time and local exponents, by "
        "the deterministic equivalent of gradient flow (lines), of kernel gradient flow averaged over "
        "noise and initial function (crosses) and of trained networks (open markers). A random initial "
        "output limits the exponent to 3/(d+3), a zero one does not (dotted: limits).",
    ),
    "paper_figure_1": Output(
        "figure",
        "Figure 1 of Chen, Li, Lin (2024), with and without a bias: smallest test error of trained networks "
        "against sample size with the exponents of fitted power laws, and exact theory of infinitely wide "
        "ones at their best time within the same training. Filled: the same networks, trained to the best "
        "time of theory where the published epochs end before it, and infinitely wide ones within that "
        "training (dashed).",
    ),
    "learning_curves": Output(
        "figure",
        "Excess risk on spheres at the best time: exact theory of the infinitely wide network, which is "
        "the average over noise and initial function in closed form (lines, with the intervals that "
        "random inputs leave), runs of kernel gradient flow (crosses), trained networks (open "
        "markers), and the slopes of the limit.",
    ),
    "exponent_by_dimension": Output(
        "figure",
        "Exponents fitted to all measured sizes with 95 % intervals against the intrinsic dimension, those "
        "of exact theory by the same fit at the same sizes (bars; the kernel flow is averaged in closed "
        "form, so that it is itself theory), and those of n growing without bound, which no such size shows.",
    ),
    "error_over_time": Output(
        "figure", "Excess risk against training time for both initializations at several sizes."
    ),
    "local_exponents": Output(
        "figure",
        "Local exponents of kernel ridge regression at its best ridge on spheres: the deterministic "
        "equivalent (lines) and measurements, averaged over noise and initial function, with 95 % "
        "intervals; filled: samples too large to decompose their kernel. The standard initialization "
        "reaches 3/(d+3), most slowly in high dimension and at low noise; the mirrored one saturates at "
        "smoothness 2.",
    ),
    "noise_crossover": Output(
        "figure",
        "Crossover with the noise, by the deterministic equivalent: with a random initial output the "
        "local exponent is 3/d as long as the noise does not matter, and falls to 3/(d+3) at sizes that "
        "grow as the noise becomes small.",
    ),
    "theory_residuals": Output(
        "figure",
        "Measured mean risk relative to theory, with 95 % intervals. Kernel ridge regression, averaged "
        "over noise and initial function, and runs of kernel gradient flow from their deterministic "
        "equivalents, which become exact as n grows; networks from the average in closed form at "
        "infinite width on the same data sets. At one noise level.",
    ),
    "exponents": Output(
        "table",
        "Exponents measured and predicted, with 95 % intervals. Those of mean logs are by the published "
        "estimator of A-Fig1, whose intervals leave out that curves are no straight lines "
        "(docs/coverage.md). Of networks, the sizes at which training ends before the best time of theory, "
        "and by how many per cent the risk would still fall by its equivalent.",
    ),
    "theory": Output(
        "table",
        "Theory at the measured sizes: local exponents of kernel ridge regression by the deterministic "
        "equivalent and measured (averaged over noise and initial function), the size from which theory "
        "is within 3 % of its limit, by how much measured risks differ from the equivalent, and the "
        "networks' distance from theory.",
    ),
}
