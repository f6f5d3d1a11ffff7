"""Wrong configurations: every error at once, each with its place, its value and a fix."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from initbias.pipeline.configuration import Configuration, combined, json_schema, read, validate
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.folders import require_writable
from initbias.pipeline.plan import shards
from tests.conftest import TINY


def changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The configuration with one field set, by dotted path below the study."""
    *parents, last = path.split(".")
    place = content["studies"]["error_rates"]
    for parent in parents:
        place = place[parent]
    place[last] = value
    return content


OVERLAY = "offline.yaml"  # is read after paper.yaml


def test_shipped_configurations_are_valid_and_have_folders_of_their_own(root: Path) -> None:
    names = {path.name for path in (root / "config").glob("*.yaml")} - {OVERLAY}
    folders = [read(str(root / "config" / name)).results for name in sorted(names)]
    assert len(set(folders)) == len(folders) == 4


def test_what_is_offline_changes_data_sets_alone(root: Path) -> None:
    files = [str(root / "config" / name) for name in ("paper.yaml", OVERLAY)]
    offline = shards(validate(combined(files, {}), "offline"))
    whole = shards(read(files[0]))
    for study in (
        "error_rates",
        "target_smoothness",
        "kernel_regime",
        "imbalance",
        "underdetermined",
    ):
        assert [each for each in offline if each.study == study] == [
            each for each in whole if each.study == study
        ]
    named = {getattr(shard.specification, "dataset", "") for shard in offline} - {""}
    assert named == {"mnist_subset", "fashion_mnist", "digits", "boston_housing"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sphere.intrinsic_dim", 3, "sphere.intrinsic_dim: unknown field; did you mean intrinsic_dims?"),
        ("sphere.intrinsic_dims", [0], "sphere.intrinsic_dims[0]: 0: must be at least 1"),
        ("sphere.kernel.sample_sizes", [8, 16, 32], "[8, 16, 32]: has 3 values, write at least 4"),
        ("sphere.kernel.sample_sizes", [-8, 8, 16, 32], "sample_sizes[0]: -8: must be at least 2"),
        ("sphere.kernel.sample_sizes", [8, 8, 16, 32], "must increase without repetition"),
        ("sphere.kernel.seeds", 2.5, "seeds: 2.5: input should be a valid integer"),
        ("paper.kernel.noise_stds", [-0.1], "noise_stds[0]: -0.1: must be greater than 0"),
        ("paper.network.learning_rate", 0, "learning_rate: 0: must be greater than 0"),
        ("paper.target", "cubed_sum", "target: 'cubed_sum': write 'sum' or 'squared_sum'"),
        ("paper.network.width_per_sample", 3, "valid"),
        ("times", None, "times: None: input should be a valid integer"),
    ],
)  # fmt: skip
def test_wrong_fields_are_named_with_a_fix(tiny: dict, path: str, value: Any, message: str) -> None:
    content = changed(tiny, path, value)
    if message == "valid":
        validate(content, "my.yaml")
        return
    with pytest.raises(ConfigurationError) as caught:
        validate(content, "my.yaml")
    assert str(caught.value).startswith("my.yaml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "sample_sizes",
            [6, 7, 8, 9],
            r"network\.sample_sizes has 7, which kernel\.sample_sizes lacks",
        ),
        ("noise_stds", [0.2, 0.3], r"network\.noise_stds has 0\.3, which kernel\.noise_stds lacks"),
        ("seeds", 4, r"network\.seeds 4 is more than kernel\.seeds 3"),
    ],
)
def test_networks_without_their_theory_are_refused(
    tiny: dict, field: str, value: Any, message: str
) -> None:
    tiny["studies"]["error_rates"]["paper"]["network"][field] = value
    with pytest.raises(ConfigurationError, match=message):
        validate(tiny, "my.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"intrinsic_dim": 7}, "intrinsic_dim 7, which intrinsic_dims lacks"),
        ({"sample_sizes": [5, 6]}, r"sample_sizes \[5\], which network\.sample_sizes lacks"),
        ({"epochs_per_sample": 3}, "epochs_per_sample 3; write more than the 3 of network"),
        ({"epochs_per_sample": 10**6}, "after the kernel's flow"),
        ({}, r"sizes \[6\] twice"),
    ],
)
def test_longer_networks_that_are_not_of_the_others_are_refused(
    tiny: dict, change: dict[str, Any], message: str
) -> None:
    design = tiny["studies"]["error_rates"]["paper"]
    once = {"sample_sizes": [6], "epochs_per_sample": 20}
    design["network"]["epochs_per_sample"], design["kernel"]["time_per_sample"] = 3, 100
    once["intrinsic_dim"] = design["intrinsic_dims"][0]
    design["network"]["to_best_time"] = [once]
    validate(tiny, "my.yaml")
    design["network"]["to_best_time"] = [once, once | change]
    with pytest.raises(ConfigurationError, match=message):
        validate(tiny, "my.yaml")


def test_all_errors_are_told_at_once(tiny: dict) -> None:
    changed(tiny, "sphere.intrinsic_dims", [0, -1])
    changed(tiny, "paper.kernel.seeds", 0)
    tiny["studies"]["eror_rates"] = {}
    tiny["device"] = "tpu"
    with pytest.raises(ConfigurationError) as caught:
        validate(tiny, "my.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert "my.yaml: studies.eror_rates: unknown study; did you mean error_rates?" in lines
    assert "my.yaml: device: 'tpu': write 'auto', 'cpu' or 'cuda'" in lines


@pytest.mark.parametrize(
    "content", [{}, {"studies": {}}, {"studies": {"error_rates": None}}, [], None, "x"]
)
def test_nothing_to_do_is_an_error(content: Any) -> None:
    with pytest.raises(ConfigurationError, match="studies"):
        validate(content, "my.yaml")


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: cannot be read"):
        read(str(tmp_path / "none.yaml"))
    broken = tmp_path / "broken.yaml"
    broken.write_text("studies: [")
    with pytest.raises(ConfigurationError, match="not valid YAML"):
        read(str(broken))


def test_results_must_be_a_folder_that_can_be_written(tiny: dict, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="is a file, not a folder; name a folder"):
        validate({**tiny, "results": str(tmp_path / "file")}, "my.yaml")
    below = validate({**tiny, "results": str(tmp_path / "file" / "below")}, "my.yaml")
    with pytest.raises(ConfigurationError, match="is a file, not a folder; name a folder"):
        require_writable(below.results, "my.yaml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_schema_in_the_repository_is_that_of_the_code(root: Path) -> None:
    stored = (root / "workflow" / "schemas" / "config.schema.json").read_text()
    assert stored == json_schema(), "run: initbias schema > workflow/schemas/config.schema.json"


def test_every_field_has_a_meaning() -> None:
    def undocumented(model: type[BaseModel]) -> list[str]:
        missing = []
        for name, field in model.model_fields.items():
            nested = field.annotation
            if isinstance(nested, type) and issubclass(nested, BaseModel):
                missing += undocumented(nested)
                if not (field.description or nested.__doc__):
                    missing.append(name)
            elif not field.description and model.__name__ != "Studies":
                missing.append(name)
        return missing

    from initbias.studies import STUDIES, load

    assert undocumented(Configuration) == []
    for study in STUDIES:
        assert undocumented(load(study, "design").Section) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats(-1, 1) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)
PATHS = [
    "paper", "sphere.intrinsic_dims", "sphere.kernel.sample_sizes", "sphere.network.seeds",
    "paper.kernel.noise_stds", "paper.network.width_per_sample", "bias", "times", "unknown",
]  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(PATHS), JSON_VALUES)
def test_any_value_is_accepted_or_explained(path: str, value: Any) -> None:
    """No value of any field leads to anything but a configuration or a readable error."""
    content = yaml.safe_load(yaml.safe_dump(TINY))
    changed(content, path, value)
    try:
        validate(content, "my.yaml")
    except ConfigurationError as error:
        assert all(
            line.startswith("my.yaml: studies.error_rates") for line in str(error).splitlines()
        )
