"""Verdicts on what a random start costs on real data, N-S6 (ours: none of the papers asks).

Bounds were set after a first look at other splits of MNIST (parity, n = 100 to 1,600: 1.39, 1.27 and 1.20
with one hidden layer, 1.39, 1.38 and 1.37 with three), and before these measurements. All are on labels
without added noise, unless the configuration has none such. That the ratio is above 1 at all is no claim:
it follows from algebra.

1. Does it cost a tenth of the error or more, at the largest n? Reproduced if the interval of the ratio lies
   above 1.1 for every target of the data set.
2. Does what it adds stay a share of the error? With one hidden layer the exponent of ratio − 1 in n is
   expected below 0, and with more at 0 or above, for every target.
3. Do smoother targets cost more? By the rank correlation of s with the ratio, at each depth.
4. Does the cost grow where the target is smoother than the initial function (as A-S6 suggests)? By the rank
   correlation of that difference with the exponent of ratio − 1, over all depths.
"""

import pandas as pd

from initbias.studies.real_data.estimate import DATA
from initbias.study.claims import Claim, Claims, Prediction, Statement
from initbias.study.tables import groups, select

TENTH = 1.1
COST = Statement("N-S6", "ours", "cost")
ORDER = Statement("N-S6", "ours", "smoothness")


def judge(estimates: pd.DataFrame) -> list[Claim]:
    """All claims of the study."""
    claims = Claims("real_data", "Beyond the papers", {"target": "target"})
    noise_std = estimates["noise_std"].min()  # missing where no data set is here
    for setting, group in groups(estimates[estimates["data"] != ""], ["data", "depth"], sort=False):
        here = group[group["noise_std"].isna() | (group["noise_std"] == noise_std)]
        _of_data(claims, DATA[setting["data"]], setting["data"], int(setting["depth"]), here)
    orders = select(estimates, quantity="order", noise_std=noise_std)
    for depth, rows in orders[orders["arm"] == "cost"].groupby("depth"):
        claims.judge(
            ORDER,
            f"smoothness/depth{depth:g}/cost",
            f"smoother targets cost more: rank correlation of s with the cost over "
            f"{rows['used'].iloc[0]} targets (depth {depth:g})",
            Prediction(">", 0),
            rows,
        )
    rows = orders[orders["arm"] == "growth"]
    if len(rows):
        claims.judge(
            ORDER,
            "smoothness/growth",
            "what a random start adds grows with n, over the error, where the target is smoother than the "
            f"initial function: rank correlation over {rows['used'].iloc[0]} targets and depths",
            Prediction(">", 0),
            rows,
        )
    return claims.found


def _of_data(claims: Claims, name: str, data: str, depth: int, rows: pd.DataFrame) -> None:
    """Questions 1 and 2 for one data set and depth."""
    cost = select(rows, quantity="cost")
    sizes = cost["sample_size"].dropna()
    largest = cost[cost["sample_size"].isna() | (cost["sample_size"] == sizes.max())]
    at = f"n = {sizes.max():.0f}" if len(sizes) else "not measured"
    layers = f"{depth} hidden layer{'s' if depth > 1 else ''}"
    claims.judge(
        COST,
        f"{data}/depth{depth}/cost",
        f"a random start costs a tenth of the test error or more, at the best time, for every target "
        f"({name}, {layers}, {at})",
        Prediction(">=", TENTH),
        largest,
    )
    said = "falls with n" if depth == 1 else "does not fall with n"
    claims.judge(
        COST,
        f"{data}/depth{depth}/growth",
        f"what a random start adds, over the error, {said}, for every target: exponent ({name}, {layers})",
        Prediction("<" if depth == 1 else ">=", 0),
        select(rows, quantity="added"),
        attempted=cost,
    )
