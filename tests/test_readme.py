"""What the README shows works."""

import re
from pathlib import Path


def test_examples_run(root: Path) -> None:
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL):
        exec(example, names)
    assert names["trajectory"].outputs.shape == (20, 3, 100, 1)
    assert names["change"].shape == (3, 100, 1)
    assert not names["network"](names["x"].float()).any()


def test_files_that_documents_name_exist(root: Path) -> None:
    for page in (root / "README.md", *(root / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_columns_are_documented(root: Path) -> None:
    from initbias.studies.distance.estimate import COLUMNS as DISTANCE
    from initbias.studies.distance.measure import COLUMNS as DISTANCE_MEASURED
    from initbias.studies.error_rates.estimate import COLUMNS
    from initbias.studies.error_rates.measure import ABSENT
    from initbias.studies.imbalance.estimate import COLUMNS as IMBALANCE
    from initbias.studies.imbalance.measure import COLUMNS as IMBALANCE_RUNS
    from initbias.studies.initial_output.estimate import COLUMNS as INITIAL_OUTPUT
    from initbias.studies.kernel_regime.estimate import COLUMNS as KERNEL_REGIME
    from initbias.studies.kernel_regime.measure import VALUES
    from initbias.studies.smoothness.estimate import COLUMNS as SMOOTHNESS
    from initbias.studies.underdetermined.estimate import COLUMNS as UNDERDETERMINED
    from initbias.studies.underdetermined.measure import AT_END, OF_TIMES

    text = (root / "docs" / "outputs.md").read_text()
    columns = [*COLUMNS, *ABSENT, *KERNEL_REGIME, *VALUES, *SMOOTHNESS, *INITIAL_OUTPUT]
    columns += [*IMBALANCE, *IMBALANCE_RUNS, *UNDERDETERMINED, *OF_TIMES, *AT_END]
    columns += [*DISTANCE, *DISTANCE_MEASURED]
    assert all(f"`{column}`" in text for column in columns)
