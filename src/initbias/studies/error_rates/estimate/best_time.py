"""Networks trained to the best time of theory, and what an end of training before it hides."""

import pandas as pd

SETTING = ["design", "intrinsic_dim", "input_dim", "noise_std"]
NETWORK, TO_BEST_TIME = "network", "network to best time"
NETWORKS = (NETWORK, TO_BEST_TIME)
REACHED_TIME = 0.01  # relative fall of the risk beyond the end, up to which training is long enough


def hidden_fall(measurements: pd.DataFrame) -> pd.DataFrame:
    """By how much the risk would fall beyond the end of training, by the equivalent of gradient flow.

    Args:
        measurements: of networks, and of kernels at the same sizes, see measure.

    Returns:
        Columns design, intrinsic_dim, input_dim, noise_std, sample_size, initialization, model and fall:
        the smallest risk at recorded times within the training of a model, over that at all recorded
        times of the kernel, minus 1.
    """
    curve = [*SETTING, "sample_size", "initialization"]
    networks = measurements[measurements["model"].isin(NETWORKS)]
    end = networks.groupby([*curve, "model"])["time"].max().rename("end").reset_index()
    flow = measurements[measurements["model"] == "kernel"].dropna(subset="equivalent_risk")
    best = flow.groupby(curve)["equivalent_risk"].min()
    within = flow.drop(columns="model").merge(end, on=curve)
    within = within[within["time"] <= within["end"]]
    smallest = within.groupby([*curve, "model"])["equivalent_risk"].min()
    return (smallest / best - 1).rename("fall").reset_index()


def with_published(measurements: pd.DataFrame) -> pd.DataFrame:
    """Networks trained to the best time at all sizes: where the published epochs reach it, those trained so.

    Args:
        measurements: of all models.

    Returns:
        The measurements, and for each setting in which some networks are trained for longer the rows of
        the others of which no initialization would gain by it, once more with that model.
    """
    at = [*SETTING, "sample_size"]
    longer = measurements[measurements["model"] == TO_BEST_TIME]
    fall = hidden_fall(measurements)
    most = fall[fall["model"] == NETWORK].groupby(at)["fall"].max()
    reached = most[most <= REACHED_TIME].reset_index()[at]
    reached = reached.merge(longer[SETTING].drop_duplicates())
    others = pd.concat([reached, longer[at].drop_duplicates()]).drop_duplicates(at, keep=False)
    published = measurements[measurements["model"] == NETWORK]
    added = published.merge(others.merge(reached), on=at).assign(model=TO_BEST_TIME)
    return pd.concat([measurements, added[measurements.columns]], ignore_index=True)
