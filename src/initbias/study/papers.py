"""What the five papers publish, item by item, and which claims judge it.

Every figure, table and statement of a paper is in this list. Ids of claims begin with the id of their item;
the kind of a claim says whether it is on the paper's own words, exact theory beside them, or ours.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from initbias.study.claims import Kind

PAPERS = {
    "A": "Chen, Li, Lin 2024",
    "B": "Zhang, Xu, Luo, Ma 2020",
    "C": "Min, Tarmoun, Vidal, Mallada 2021",
    "D": "Nagarajan, Kolter 2019",
    "E": "Gruber, Avron 2024",
}
# What they leave open and studies of ours ask; its claims are never on a paper's own words.
BEYOND = {"N": "Beyond the papers"}
OF_PAPERS: tuple[Kind, ...] = ("published value", "published relation", "bound")
BESIDE: tuple[Kind, ...] = ("identity", "finite-n theory", "ours")
OUTCOMES = ("contrary", "not reproduced", "inconclusive", "reproduced", "not measured")
VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not measured")


@dataclass(frozen=True)
class Published:
    """A figure, a table or a statement of a paper.

    Attributes:
        id: such as "A-S4"; the first letter is the paper's.
        kind: what it is.
        says: what it says, in a line.
        reports: of a figure or table, the shape or the values that are published.
        through: beginning of the ids of the claims that judge it, such as "A-Table1/cifar10", if it has none
            of its own.
        drawn: of a figure or table, the figure or table here that shows the same, as study/name.
        differs: what that shows differently.
    """

    id: str
    kind: Literal["figure", "table", "statement"]
    says: str
    reports: str = ""
    through: str = ""
    drawn: str = ""
    differs: str = ""


def _statement(name: str, says: str) -> Published:
    return Published(name, "statement", says)


def _figure(
    name: str, says: str, reports: str, through: str = "", *, drawn: str, differs: str
) -> Published:
    return Published(name, "figure", says, reports, through, drawn, differs)


PUBLISHED = (
    _statement(
        "A-S1", "networks converge to kernel flow, uniformly in time and input, as they widen"
    ),
    _statement("A-S2", "flow from f_0 on f* has the error of flow from 0 on f* − f_0"),
    _statement("A-S3", "the random initial output has smoothness 3/(d+1)"),
    _statement("A-S4", "the rate n^(−3/(d+3)) from a random initial output"),
    _statement("A-S5", "the rate of the target's smoothness from a zero initial output"),
    _statement("A-S6", "for targets rougher than 3/(d+1) both initializations have the same rate"),
    _figure(
        "A-Fig1",
        "test error of networks against n: mirrored initialization is steeper",
        "straight lines of the mean log error over 20 trials, mirrored steeper; no slopes given",
        drawn="error_rates/paper_figure_1",
        differs="sample sizes are ours, as the paper gives none; points are means of the error, not of "
        "its log; exact theory of infinite width, intervals, and a network without bias stand "
        "beside the published networks",
    ),
    _figure(
        "A-Fig2",
        "tail sums of MNIST",
        "a straight line of slope −0.40 for i < 2,700",
        through="A-Table1/mnist",
        drawn="smoothness/tail_sums",
        differs="several label encodings, as the paper names none, and shuffled labels; both axes are "
        "logarithmic to base 10 and sums are shares of the whole",
    ),
    _figure(
        "A-Fig3",
        "tail sums of Fashion-MNIST",
        "a straight line fitted for i < 2,700",
        through="A-Table1/fashion_mnist",
        drawn="smoothness/tail_sums",
        differs="as A-Fig2; all data sets are panels of one figure",
    ),
    _figure(
        "A-Fig4",
        "tail sums of CIFAR-10",
        "a straight line fitted for i < 2,700",
        through="A-Table1/cifar10",
        drawn="smoothness/tail_sums",
        differs="as A-Fig2; all data sets are panels of one figure",
    ),
    Published(
        "A-Table1",
        "table",
        "smoothness of real data relative to the NTK",
        "0.40 for MNIST, 0.22 for Fashion-MNIST, 0.09 for CIFAR-10",
        drawn="smoothness/table_1",
        differs="the range over the choices that the paper leaves open, shuffled labels, intervals, and "
        "data sets that come with packages",
    ),
    _statement("B-S1", "every loss of a class ends at the same interpolant"),
    _statement("B-S2", "what a random initial output adds to the trained function (eq. 6)"),
    _statement("B-S3", "a random initial output only adds error"),
    _statement("B-S4", "ASI keeps the kernel, starts at zero and trains faster"),
    _statement(
        "B-Thm10",
        "doubling removes the lower layers' contributions to the kernel and doubles the last two",
    ),
    _figure(
        "B-Fig1",
        "outputs after training with L² and L⁴ loss",
        "the two curves coincide",
        through="B-S1",
        drawn="initial_output/loss_independence",
        differs="further powers of the error, the kernel's interpolant, and the distances between all "
        "of them against the width; other powers than 2 have a learning rate that follows the "
        "error",
    ),
    _figure(
        "B-Fig2a",
        "outputs of the original network, ASI, doubling and eq. 6",
        "the right side of eq. 6 lies on the original network; ASI and doubling are flat",
        drawn="initial_output/initial_output",
        differs="panel a: widths are those of the configuration, with scales that keep the size of the "
        "initial output",
    ),
    _figure(
        "B-Fig2b",
        "the parts of eq. 6",
        "h_ini, its regression, and 20 times their difference",
        through="B-S2",
        drawn="initial_output/initial_output",
        differs="panel b: widths are those of the configuration, with scales that keep the size of the "
        "initial output",
    ),
    _figure(
        "B-Fig2c",
        "training loss of the original network, ASI, RND and doubling",
        "ASI falls fastest",
        through="B-S4/regression",
        drawn="initial_output/initial_output",
        differs="panel c: mean and interval over seeds instead of one run; panel d, what eq. 6 leaves "
        "over, is added",
    ),
    _figure(
        "B-Fig3a",
        "test outputs on Boston housing against the original ones",
        "ASI and the right side of eq. 6 against the original network",
        through="B-S2/boston_housing",
        drawn="initial_output/boston_housing",
        differs="panel a: width, learning rate and iterations are those of the configuration; the split is "
        "random",
    ),
    _figure(
        "B-Fig3b",
        "test loss on Boston housing: ASI is lower",
        "ASI is lower throughout; the losses end at about 0.0095 and 0.07",
        drawn="initial_output/boston_housing",
        differs="panel b: mean and interval over seeds instead of one run; losses are half of the "
        "published mean square",
    ),
    _figure(
        "B-Fig4",
        "MNIST with cross-entropy: ASI is faster and more accurate",
        "above 90 % after one epoch of ASI, about 85 % after 100 of the original network",
        drawn="initial_output/mnist",
        differs="several scales v, as the paper gives none; images and epochs are those of the "
        "configuration; intervals over seeds",
    ),
    _statement("C-Sec3", "the imbalance is invariant under gradient flow"),
    _statement("C-S1", "the loss falls at least at the rate that the imbalance sets"),
    _statement("C-S2", "the limit of flow; it is the min-norm solution on an invariant set"),
    _statement("C-S3", "imbalance and orthogonality of wide random initializations"),
    _statement("C-S4", "the distance from the min-norm solution falls with the width"),
    _statement("C-S5", "a bound on the instantaneous rate (second version)"),
    _statement(
        "C-S6",
        "a rate from a positive margin, whatever the imbalance (second version)",
    ),
    _figure(
        "C-Fig1",
        "distance from the min-norm solution against the width, and against its root",
        "both distances fall with the width, in a straight line against its inverse root",
        drawn="imbalance/min_norm_by_width",
        differs="norm and distance share their panels, against the width and against its inverse root",
    ),
    _figure(
        "C-Fig2",
        "loss from four initializations, with bounds",
        "c is 39.6, 20.1, 6.02 and 0; the larger, the faster, and each loss below its bound",
        drawn="imbalance/convergence",
        differs="several trials instead of one, loss relative to that at initialization, and a panel of "
        "the rate constants with the published ones",
    ),
    _figure(
        "C-Fig3",
        "the same on logarithmic axes",
        "loss with dashed bounds, on linear and logarithmic axes",
        through="C-Fig2",
        drawn="imbalance/convergence",
        differs="the logarithmic axis is a panel of the same figure",
    ),
    _figure(
        "C-Fig4",
        "the same as C-Fig1, with iterations to stop",
        "iterations fall from about 67,000 to 57,000 as the width grows from 500 to 10,000",
        drawn="imbalance/min_norm_by_width",
        differs="shares its figure with C-Fig1; iterations read off the published picture are marked",
    ),
    _figure(
        "C-v2",
        "matrix factorisation: eigenvalues, loss and instantaneous rate",
        "at width 30 the spreads exceed the level and the rate falls, at 1,000 the reverse",
        drawn="imbalance/factorisation",
        differs="all widths share their panels, for both published output dimensions",
    ),
    _statement("D-S1", "the ball's Rademacher complexity does not depend on the width"),
    _statement(
        "D-S2", "untrained networks generalize, while norms from the origin grow with width"
    ),
    _statement("D-S3", "a bound on the product of spectral norms by the distance"),
    _statement(
        "D-S4",
        "in a ball around initialization outputs and gradients are bounded independently of the width",
    ),
    _statement(
        "D-S5",
        "gradient flow moves at most L/c until the gradient's norm is below c",
    ),
    _figure(
        "D-Fig1",
        "generalization error and distance against width and sample size",
        "the error does not grow with the width; the distance falls or stays, and grows with the sample",
        drawn="distance/width_and_size",
        differs="mirrored initialization is added; error and distance against the width share a figure "
        "with the distance against the sample size; sizes are those of the configuration",
    ),
    _figure(
        "D-Fig2",
        "distances for random labels",
        "distances grow faster with the sample than for true labels",
        drawn="distance/random_labels",
        differs="true labels stand in the same panels; sizes are those of the configuration",
    ),
    _figure(
        "D-Fig3",
        "distance against label noise",
        "the distance grows with the noise, at each width",
        drawn="distance/label_noise",
        differs="intervals over seeds are added; widths and the sample size are those of the configuration",
    ),
    _figure(
        "D-Fig4",
        "empirical Rademacher complexity of the ball",
        "it grows at most as the logarithm of the width, less for larger samples",
        drawn="distance/complexity",
        differs="linear networks with the bound of D-S1 are added; what the same signs give at "
        "initialization is subtracted; widths, samples and radii are those of the configuration",
    ),
    _statement("E-S1", "gradient descent leaves P W₁ unchanged"),
    _statement("E-S2", "the limit as a function of the initialization"),
    _statement("E-S3", "it is the min-norm solution where P W₁(0) = 0"),
    _statement("E-S4", "the distance from it is bounded, and falls with the scale of W₁(0)"),
    _statement("E-S5", "gradient descent converges"),
    _statement("E-S6", "P W₁(0) can steer it to a prescribed solution"),
    _statement("E-S7", "a bi-optimal pair with one hidden layer"),
)


# Statements of ours, with what they are derived from in docs/.
OURS = (
    _statement("N-S1", "with ReLU^p the rate from a random initial output is n^(−(2p+1)/(d+2p+1))"),
    _statement("N-S2", "with analytic activations a random initial output costs (log n)^d at most"),
    _statement(
        "N-S3", "eigenvalues of ReLU^p fall as i^(−(d+2p−1)/d) (NTK) and i^(−(d+2p+1)/d) (NNGP)"
    ),
    _statement("N-S4", "the depth changes the constant of the rate, by the NNGP kernel alone"),
    _statement(
        "N-S5", "kernels and networks of all activations follow at the sizes that are measured"
    ),
    _statement("N-S6", "what a random initial output costs where data are real"),
    _statement("N-S7", "what removes the cost of a random initial output"),
)


def item_of(claim_id: str) -> str:
    """The item of PUBLISHED or OURS that a claim is of."""
    return claim_id.partition("/")[0]


def coverage(claims: pd.DataFrame) -> pd.DataFrame:
    """What became of each item, a row for each: verdicts of the claims that judge it.

    What is beyond the papers comes last.

    Args:
        claims: see `initbias.study.claims.Claim`.

    Returns:
        Columns id, paper, kind, says, reports, drawn, differs, judged_by (the item whose claims do) and
        shown_in (studies with the figures and tables of these claims); outcome, in a word, see `outcome`;
        open, why claims are not reproduced or what it would take to decide them, a line for each as
        id: reason, those first that are not reproduced; how many claims on the paper's own words have each
        verdict, and how many stand beside them, by kind.
    """
    items = (*PUBLISHED, *OURS)
    return pd.DataFrame([_covered(item, claims[_of(claims, item)]) for item in items])


def _of(claims: pd.DataFrame, item: Published) -> pd.Series:
    """Which claims judge an item."""
    judged_by = item.through or item.id
    if "/" in judged_by:
        return claims["id"].str.startswith(judged_by)
    return claims["id"].map(item_of) == judged_by


def _covered(item: Published, found: pd.DataFrame) -> dict[str, str | int]:
    own = judging(found)
    verdicts = found.loc[found["kind"].isin(OF_PAPERS), "verdict"].value_counts()
    kinds = found["kind"].value_counts()
    against = own["verdict"] == "not reproduced"
    unsettled = pd.concat([own[against], own[~against & (own["verdict"] != "reproduced")]])
    return {
        "id": item.id,
        "paper": (PAPERS | BEYOND)[item.id[0]],
        "kind": item.kind,
        "says": item.says,
        "reports": item.reports,
        "drawn": item.drawn,
        "differs": item.differs,
        "judged_by": item.through or item.id,
        "shown_in": "; ".join(
            f"{study}: {', '.join(sorted(set(shown)))}"
            for study, shown in found.groupby("study")["shown"]
        ),
        "outcome": outcome(own),
        "open": "\n".join(f"{claim.id}: {claim.reason}" for claim in unsettled.itertuples()),
        **{verdict: int(verdicts.get(verdict, 0)) for verdict in VERDICTS},
        **{kind: int(kinds.get(kind, 0)) for kind in BESIDE},
    }


def judging(found: pd.DataFrame) -> pd.DataFrame:
    """Claims that decide on an item: those on the paper's own words, else identities, else all.

    Args:
        found: claims of the item.
    """
    for kinds in (OF_PAPERS, ("identity",)):
        if (chosen := found["kind"].isin(kinds)).any():
            return found[chosen]
    return found


def outcome(own: pd.DataFrame) -> str:
    """What became of an item in a word, one of `OUTCOMES`; the claim that is worst for it decides.

    Contrary is a claim that is not reproduced and whose whole interval lies on the other side of its bound.
    Claims that are not measured do not count beside others that are.

    Args:
        own: claims that decide on it.
    """
    beyond = (own["relation"].isin(["<", "<="]) & (own["low"] > own["bound"])) | (
        own["relation"].isin([">", ">="]) & (own["high"] < own["bound"])
    )
    contrary = beyond & (own["verdict"] == "not reproduced")
    words = set(own["verdict"].mask(contrary, "contrary"))
    return next((word for word in OUTCOMES if word in words), "not measured")
