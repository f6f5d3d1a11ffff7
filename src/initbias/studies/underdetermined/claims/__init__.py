"""Verdicts on paper E (Gruber, Avron 2024): where deep linear networks end on A y = b, and steering.

Of the paper we know the setting and what its parts are about; its theorems, sizes and figures are not
available to us. The statements are derived from the setting, and all designs are our own:

- E-S1: gradient descent leaves P W_1 unchanged, P = I − A†A.
- E-S2: at zero loss it has reached A†b + P W_1(0) W_2(∞) ... x(∞); at depth 0 that is θ* + P y(0).
- E-S3: so it ends at θ* = A†b where P W_1(0) = 0, and elsewhere from other initializations.
- E-S4: the distance from θ* is at most ‖P W_1(0)‖ ‖W_2 ... x‖, and falls linearly with the scale of
  W_1(0); the scale of the other layers alone does not take it to zero.
- E-S5: gradient descent converges; at depth 0 for steps below 2/σ_max², and above it diverges. It is
  judged where iterations are enough for plain regression with the same condition number.
- E-S6: P W_1(0) can be chosen such that descent ends at any prescribed solution.
- E-S7: with one hidden layer there is a pair W, x with W x = θ* of which each is optimal given the
  other. Descent reaches one from W(0) = 0 (derived).

What follows from algebra or from the rule by which training stops is of kind `identity`: E-S1, E-S2, E-S3,
the bound of E-S4, the exact part of E-S6 and E-S7, and all of plain regression, whose descent is a
linear recursion. It is judged by the largest error of all runs that converged, against a tolerance, and can
fail only if arithmetic or a formula is wrong. Runs that did not converge are counted in the reason and
judged by E-S5 alone. What is left can fail, and each claim says how.

What finite steps, finite time, ill-conditioning and planted truths give is ours, beside the statement that
it is about; docs/numerics.md has the predictions, which were written down before any output was looked at.
"""

import pandas as pd

from initbias.studies.underdetermined.claims import convergence, finite, generalization, limits
from initbias.studies.underdetermined.estimate import NETWORKS
from initbias.study.claims import Claim, Claims
from initbias.study.tables import groups

__all__ = ["judge"]


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study, for each depth that was measured."""
    claims = Claims(
        "underdetermined", "Gruber, Avron 2024", {"condition": "condition number", "scale": "scale"}
    )
    for networks, rows in groups(estimates, NETWORKS):
        where = f"depth {networks['depth']}, A {networks['equations']} × {networks['unknowns']}"
        if networks["depth"]:
            where += f", width {networks['width']}"
        of = f"depth{networks['depth']}"
        limits.judge(claims, rows, of, where)
        convergence.judge(claims, rows, of, where)
        if networks["depth"]:
            finite.judge(claims, rows, of, where)
        generalization.judge(claims, rows, of, where)
    return claims.found
