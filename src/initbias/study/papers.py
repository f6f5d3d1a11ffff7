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
BEYOND = {
    "N": "beyond the papers"
}  # what is derived here; its claims are never on a paper's own words
OF_PAPERS: tuple[Kind, ...] = ("published value", "published relation", "bound")
BESIDE: tuple[Kind, ...] = ("identity", "finite-n theory", "ours")
VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not measured")


@dataclass(frozen=True)
class Published:
    """A figure, a table or a statement of a paper.

    Attributes:
        id: such as "A-S4"; the first letter is the paper's.
        kind: what it is.
        says: what it says, in a line.
        reports: of a figure or table, the shape or the values that are published.
        through: the item whose claims judge it, if it has none of its own.
    """

    id: str
    kind: Literal["figure", "table", "statement"]
    says: str
    reports: str = ""
    through: str = ""


def _statement(name: str, says: str) -> Published:
    return Published(name, "statement", says)


def _figure(name: str, says: str, reports: str, through: str = "") -> Published:
    return Published(name, "figure", says, reports, through)


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
    ),
    _figure(
        "A-Fig2",
        "tail sums of MNIST",
        "a straight line of slope −0.40 for i < 2,700",
        through="A-Table1",
    ),
    _figure(
        "A-Fig3",
        "tail sums of Fashion-MNIST",
        "a straight line fitted for i < 2,700",
        through="A-Table1",
    ),
    _figure(
        "A-Fig4",
        "tail sums of CIFAR-10",
        "a straight line fitted for i < 2,700",
        through="A-Table1",
    ),
    Published(
        "A-Table1",
        "table",
        "smoothness of real data relative to the NTK",
        "0.40 for MNIST, 0.22 for Fashion-MNIST, 0.09 for CIFAR-10",
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
    ),
    _figure(
        "B-Fig2a",
        "outputs of the original network, ASI, doubling and eq. 6",
        "the right side of eq. 6 lies on the original network; ASI and doubling are flat",
    ),
    _figure(
        "B-Fig2b",
        "the parts of eq. 6",
        "h_ini, its regression, and 20 times their difference",
        through="B-S2",
    ),
    _figure(
        "B-Fig2c",
        "training loss of the original network, ASI, RND and doubling",
        "ASI falls fastest",
        through="B-S4",
    ),
    _figure(
        "B-Fig3a",
        "test outputs on Boston housing against the original ones",
        "ASI and the right side of eq. 6 against the original network",
        through="B-S2",
    ),
    _figure(
        "B-Fig3b",
        "test loss on Boston housing: ASI is lower",
        "ASI is lower throughout; the losses end at about 0.0095 and 0.07",
    ),
    _figure(
        "B-Fig4",
        "MNIST with cross-entropy: ASI is faster and more accurate",
        "above 90 % after one epoch of ASI, about 85 % after 100 of the original network",
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
    ),
    _figure(
        "C-Fig2",
        "loss from four initializations, with bounds",
        "c is 39.6, 20.1, 6.02 and 0; the larger, the faster, and each loss below its bound",
    ),
    _figure(
        "C-Fig3",
        "the same on logarithmic axes",
        "loss with dashed bounds, on linear and logarithmic axes",
        through="C-Fig2",
    ),
    _figure(
        "C-Fig4",
        "the same as C-Fig1, with iterations to stop",
        "iterations fall from about 67,000 to 57,000 as the width grows from 500 to 10,000",
    ),
    _figure(
        "C-v2",
        "matrix factorisation: eigenvalues, loss and instantaneous rate",
        "at width 30 the spreads exceed the level and the rate falls, at 1,000 the reverse",
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
    ),
    _figure(
        "D-Fig2",
        "distances for random labels",
        "distances grow faster with the sample than for true labels",
    ),
    _figure(
        "D-Fig3", "distance against label noise", "the distance grows with the noise, at each width"
    ),
    _figure(
        "D-Fig4",
        "empirical Rademacher complexity of the ball",
        "it grows at most as the logarithm of the width, less for larger samples",
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
)


def item_of(claim_id: str) -> str:
    """The item of PUBLISHED or OURS that a claim is of."""
    return claim_id.partition("/")[0]


def coverage(claims: pd.DataFrame) -> pd.DataFrame:
    """What became of each item, a row for each: verdicts of the claims that judge it.

    What is beyond the papers comes last, if there are claims on it.

    Args:
        claims: see `initbias.study.claims.Claim`.

    Returns:
        Columns id, paper, kind, says, reports, judged_by (the item whose claims do) and shown_in (studies
        with the figures and tables of these claims); how many claims on the paper's own words have each
        verdict, and how many stand beside them, by kind.
    """
    of_item = claims["id"].map(item_of)
    own = claims["kind"].isin(OF_PAPERS)
    rows: list[dict[str, str | int]] = []
    ours = [item for item in OURS if (of_item == item.id).any()]
    for item in (*PUBLISHED, *ours):
        judged_by = item.through or item.id
        found = claims[of_item == judged_by]
        verdicts = found.loc[own.loc[found.index], "verdict"].value_counts()
        kinds = found["kind"].value_counts()
        rows.append(
            {
                "id": item.id,
                "paper": (PAPERS | BEYOND)[item.id[0]],
                "kind": item.kind,
                "says": item.says,
                "reports": item.reports,
                "judged_by": judged_by,
                "shown_in": "; ".join(
                    f"{study}: {', '.join(sorted(set(shown)))}"
                    for study, shown in found.groupby("study")["shown"]
                ),
                **{verdict: int(verdicts.get(verdict, 0)) for verdict in VERDICTS},
                **{kind: int(kinds.get(kind, 0)) for kind in BESIDE},
            }
        )
    return pd.DataFrame(rows)
