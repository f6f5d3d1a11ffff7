"""Full-batch gradient descent of ensembles: ours against plain PyTorch, JAX and torch.func.

Run with: make bench. Prints the time of one epoch of all networks, in the median, in float32 with all
cores, or on the GPU if there is one. Networks have no bias and the NTK parametrisation; each has its
own sample. Compiling does not count. After the first epochs the outputs of every peer are compared
with ours, so that a ratio is one of equal work; where they differ, the benchmark fails. Each trainer
has a process of its own.

- ours: `train`, timed by the difference between more epochs and fewer, which leaves out what is done
  once, such as the outputs that are recorded.
- PyTorch: nn.Sequential modules with autograd and SGD, one network after the other. In the sweep of
  sizes at most four of the networks are timed and the time is scaled, since each takes its loop as
  long as the next.
- JAX: vmap over networks and lax.scan over epochs, jitted, in an environment of its own.
- torch.func: vmap over networks of the gradient, under torch.compile.

A share is that of this machine's limit, the longer of two times: that of the multiply-adds which any
method must do, at the rate of a large float32 matrix product, and that of the weights read and written
and the data read once an epoch, at the rate of copying memory. Both rates are measured in this run, the
former anew beside each time, since processors change their pace.
"""

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from ensembles import (
    EPOCHS,
    Measurement,
    Problem,
    Trainer,
    UnavailableError,
    apart,
    functional,
    jax,
    modules,
    ours,
    problem,
)
from machine import description, matrix_rate, memory_rate
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from initbias.networks import Architecture
from initbias.study.drawing import STYLES, THEORY, size

INPUT_DIM = 6
HEADLINES = {(16, 256, 5120): 12, (4, 1024, 20480): 25}  # networks, n, width: goal against PyTorch
PLAIN = "PyTorch"
PEER_GOALS = {"JAX": 5, "torch.func": 8}
NETWORKS, SAMPLES, WIDTHS = (1, 4, 16, 64), (64, 256, 1024), (1024, 5120, 20480)
MEDIAN_GOAL, MINIMUM_GOAL = 8, 1
LOOPED = 4  # networks that plain PyTorch is timed with at most, at many sizes
PRODUCTS = [  # bound by matrix products: networks, n, architecture
    (8, 1024, Architecture(6, (1024, 1024), bias="none")),
    (4, 1024, Architecture(784, (2048,), outputs=10, bias="none")),
]
PRODUCTS_GOAL = 0.75
MEMORY = [(1024, 20480), (4096, 65536)]  # n, width
MEMORY_GOAL = 256 * 2**20
TOLERANCE = 1e-3
FIGURE = Path(__file__).with_suffix(".png")
QUIET = 0.3  # load
LONG, SHORT = 3.0, 0.5  # seconds to spend on a measurement, at least

# Okabe and Ito's, and markers for print without colour.
LINES = dict(
    zip(
        NETWORKS,
        zip(["#56B4E9", "#0072B2", "#E69F00", "#D55E00"], "osD^", strict=True),
        strict=True,
    )
)


@dataclass
class Benchmark:
    """What is measured on, and which goals were met.

    Attributes:
        device: "cpu" or "cuda".
        ours: the trainer that is measured.
        peers: those that it is measured against.
        bandwidth: bytes per second.
        ratios: to plain PyTorch at many networks, n and widths.
        goals: rows of their table.
    """

    device: str
    ours: Trainer
    peers: dict[str, Trainer]
    bandwidth: float
    ratios: dict[tuple[int, int, int], float] = field(default_factory=dict)
    goals: list[tuple[str, str, str]] = field(default_factory=list)

    def share(self, problem: Problem, seconds: float) -> float:
        """Share of the machine's limit, of an epoch that took so many seconds."""
        computing = 2 * problem.multiply_adds / matrix_rate(torch.float32, self.device)
        return max(computing, problem.traffic / self.bandwidth) / seconds

    def goal(self, text: str, measured: str, met: bool) -> None:
        """Remember one."""
        self.goals.append((text, measured, "yes" if met else "no"))

    def goal_ratio(self, text: str, ratio: float, least: float) -> None:
        """Remember that a ratio should be at least so large."""
        self.goal(f"{text}: at least {least}", f"{ratio:.1f}", ratio >= least)


def compared(peer: Measurement, own: Measurement, name: str) -> float:
    """Seconds of the peer's epoch, after comparing outputs.

    Raises:
        SystemExit: it has not done the same steps.
    """
    difference = np.abs(peer.outputs - own.outputs).max() / np.abs(own.outputs).max()
    if not difference <= TOLERANCE:
        raise SystemExit(
            f"{name} is not the same training: outputs after {EPOCHS} epochs differ by {difference:.0e}"
        )
    return peer.seconds


def row(*cells: str) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(cells) + " |", flush=True)


def header(*cells: str) -> None:
    """Print the first rows of a table, after an empty line."""
    print()
    row(*cells)
    print("|" + "---|" * len(cells))


def headlines(benchmark: Benchmark) -> None:
    """Two sizes, against all peers."""
    columns = [text for name in benchmark.peers for text in (f"{name}, ms", "ratio")]
    header("networks × n × width", "ours, ms", *columns, "share of limit")
    for (count, n, width), goal in HEADLINES.items():
        size = f"{count} × {n:,} × {width:,}"
        task = problem(count, n, shallow(width))
        own = benchmark.ours(task, benchmark.device, LONG)
        share = benchmark.share(task, own.seconds)
        cells = []
        for name, trainer in benchmark.peers.items():
            try:
                peer = trainer(task, benchmark.device, LONG)
            except UnavailableError as reason:
                cells += [str(reason), "–"]
                continue
            ratio = compared(peer, own, name) / own.seconds
            benchmark.goal_ratio(f"{size} against {name}", ratio, PEER_GOALS.get(name, goal))
            cells += [milliseconds(peer.seconds), f"{ratio:.1f}"]
        row(size, milliseconds(own.seconds), *cells, f"{share:.0%}")


def sweep(benchmark: Benchmark) -> None:
    """Many sizes against plain PyTorch."""
    print("\nRatio to plain PyTorch (and our share of the limit):")
    header("n × width", *(networks(count) for count in NETWORKS))
    for n, width in product(SAMPLES, WIDTHS):
        cells = []
        for count in NETWORKS:
            task = problem(count, n, shallow(width))
            own = benchmark.ours(task, benchmark.device, SHORT)
            share = benchmark.share(task, own.seconds)
            ratio = looped_seconds(benchmark, task, own) / own.seconds
            benchmark.ratios[count, n, width] = ratio
            cells.append(f"{ratio:.1f} ({share:.0%})")
        row(f"{n:,} × {width:,}", *cells)
    values = list(benchmark.ratios.values())
    benchmark.goal_ratio("median against PyTorch", float(np.median(values)), MEDIAN_GOAL)
    benchmark.goal_ratio("minimum against PyTorch", min(values), MINIMUM_GOAL)


def looped_seconds(benchmark: Benchmark, task: Problem, own: Measurement) -> float:
    """Seconds of plain PyTorch for all networks, from those of a few."""
    looped = min(len(task), LOOPED)
    peer = benchmark.peers[PLAIN](task[:looped], benchmark.device, SHORT)
    return compared(peer, replace(own, outputs=own.outputs[:looped]), PLAIN) * len(task) / looped


def products(benchmark: Benchmark) -> None:
    """Architectures whose time is that of matrix products."""
    header("networks × n, layers", "ours, ms", "PyTorch, ms", "ratio", "share of limit")
    for count, n, architecture in PRODUCTS:
        layers = " → ".join(f"{size:,}" for size in architecture.sizes)
        task = problem(count, n, architecture)
        own = benchmark.ours(task, benchmark.device, LONG)
        share = benchmark.share(task, own.seconds)
        seconds = compared(benchmark.peers[PLAIN](task, benchmark.device, LONG), own, PLAIN)
        benchmark.goal(
            f"share at {layers}: at least {PRODUCTS_GOAL:.0%}",
            f"{share:.0%}",
            share >= PRODUCTS_GOAL,
        )
        row(
            f"{count} × {n:,}, {layers}",
            milliseconds(own.seconds),
            milliseconds(seconds),
            f"{seconds / own.seconds:.1f}",
            f"{share:.0%}",
        )


def memory(benchmark: Benchmark) -> None:
    """Peak memory of training one network, beyond its weights and data."""
    if not Path("/proc/self/clear_refs").exists():
        print("\nPeak memory is measured on Linux alone.")
        return
    header("n × width", "loading and compiling, MiB", "training, MiB")
    script = Path(__file__).with_name("peak_memory.py")
    for n, width in MEMORY:
        command = [sys.executable, str(script), str(n), str(width), benchmark.device]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        loading, training = (int(text) for text in printed.split())
        size = f"{n:,} × {width:,}"
        row(size, mebibytes(loading), mebibytes(training))
        benchmark.goal(
            f"peak memory at {size}, loading and training: at most {mebibytes(MEMORY_GOAL)} MiB",
            mebibytes(loading + training),
            loading + training <= MEMORY_GOAL,
        )


def shallow(width: int) -> Architecture:
    """One hidden layer."""
    return Architecture(INPUT_DIM, (width,), bias="none")


def networks(count: int) -> str:
    """Their number in words of a table or a legend."""
    return f"{count} network{'s' if count > 1 else ''}"


def milliseconds(seconds: float) -> str:
    """Time in a table."""
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:,.0f}"


def mebibytes(count: int) -> str:
    """Memory in a table."""
    return f"{count / 2**20:.0f}"


def draw(ratios: dict[tuple[int, int, int], float], machine: str) -> Figure:
    """Ratios to plain PyTorch against n × width, a line through the geometric means of each size."""
    figure = Figure(figsize=size(1.4))
    axes = figure.subplots()
    for count, (color, marker) in LINES.items():
        sizes: dict[int, list[float]] = defaultdict(list)
        for n, width in product(SAMPLES, WIDTHS):
            sizes[n * width].append(ratios[count, n, width])
        every = [(size, ratio) for size, values in sizes.items() for ratio in values]
        axes.plot(*zip(*every, strict=True), marker, color=color, mec="white", mew=0.5, zorder=3)
        means = [(size, np.exp(np.log(values).mean())) for size, values in sorted(sizes.items())]
        axes.plot(*zip(*means, strict=True), color=color)
        axes.plot([], [], marker=marker, color=color, label=networks(count))
    for goal, text in ((MEDIAN_GOAL, "goal of\nthe median"), (MINIMUM_GOAL, "equal")):
        axes.axhline(goal, color=THEORY, ls="--", lw=1)
        axes.annotate(
            text,
            (1, goal),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=THEORY,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("sample size × width")
    axes.set_ylabel("time of plain PyTorch / ours")
    axes.grid(alpha=0.25, lw=0.5)
    axes.legend(ncols=len(LINES), loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    figure.supxlabel(machine, fontsize=7, color=THEORY)
    return figure


def main() -> None:
    """Measure on the GPU if there is one, else on the CPU, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    tables: dict[str, Callable[[Benchmark], None]] = {
        "headlines": headlines,
        "sweep": sweep,
        "products": products,
        "memory": memory,
    }
    parser.add_argument("--jax-python", help="Python that has JAX")
    parser.add_argument("--tables", nargs="+", choices=tables, default=list(tables))
    parser.add_argument("--figure", type=Path, default=FIGURE, help="where to draw the sweep")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    machine, load = description(device), os.getloadavg()[0]
    print(f"{machine}")
    if load > QUIET:
        print(
            f"The load before was {load:.1f}: where other programs run, times cannot be relied on."
        )
    benchmark = Benchmark(
        device,
        apart(ours),
        {
            PLAIN: apart(modules),
            "JAX": jax(arguments.jax_python),
            "torch.func": apart(functional),
        },
        memory_rate(device),
    )
    product_rate = matrix_rate(torch.float32, device)
    print(
        f"Matrix product {product_rate / 1e9:,.0f} GFLOP/s, memory copied at "
        f"{benchmark.bandwidth / 1e9:,.1f} GB/s (read and written)."
    )
    if device == "cpu":
        print("No GPU here: GPUs were not measured.")
    for name in arguments.tables:
        tables[name](benchmark)
    if benchmark.ratios:
        with mpl.rc_context(STYLES["print"]):
            draw(benchmark.ratios, machine).savefig(arguments.figure)
    header("goal", "measured", "met")
    for cells in benchmark.goals:
        row(*cells)


if __name__ == "__main__":
    main()
