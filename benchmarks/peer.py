"""Running a peer that has an environment of its own."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent


def run_peer(python: str, script: str, *arguments: str, **inputs: Any) -> dict[str, Any]:
    """What a script of peers/ computes from these inputs with another Python.

    The script's last arguments are a file of inputs and one of results; it can import from here.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "inputs.npz"), Path(folder, "results.npz")
        np.savez(source, **inputs)
        command = [python, str(HERE / "peers" / script), *arguments, str(source), str(target)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(HERE)})
        return dict(np.load(target))
