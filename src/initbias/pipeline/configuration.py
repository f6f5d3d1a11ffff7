"""The configuration: validated as a whole, with every error at once, each with its place and a fix."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator
from pydantic_core import ErrorDetails

from initbias.pipeline import folders
from initbias.pipeline.errors import ConfigurationError
from initbias.pipeline.manifest import MANIFEST
from initbias.pipeline.reading import read_file, read_json
from initbias.studies import STUDIES, load

# The sections of the studies, put together from the registry.
SECTIONS: dict[str, Any] = {
    study: (load(study, "design").Section | None, None) for study in STUDIES
}
Studies = create_model(
    "Studies",
    __config__=ConfigDict(extra="forbid", frozen=True),
    __doc__="One section for each study to run; a study without a section is left out.",
    **SECTIONS,
)


class Configuration(BaseModel):
    """Everything that a run depends on, beside the code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    results: Annotated[
        str, Field(min_length=1, description="Folder that receives every output.")
    ] = "results"
    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Field(description="Where shards are measured; auto takes a CUDA GPU when there is one."),
    ] = "auto"
    style: Annotated[
        Literal["print", "talk"],
        Field(description="Look of figures: for papers, or with larger text and lines for slides."),
    ] = "print"
    data_cache: Annotated[
        str,
        Field(
            description="Folder of downloaded data sets; left out, INITBIAS_DATA_CACHE or the user's "
            "cache folder. No measurement depends on it."
        ),
    ] = ""
    job_minutes: Annotated[
        float,
        Field(
            gt=0,
            description="What a job is expected to take on one core: shards that take less share one. "
            "Clusters want few jobs, of twenty minutes or more. No measurement depends on it.",
        ),
    ] = 1.0
    studies: Annotated[Studies, Field(description="The studies to run, each with its section.")]

    @field_validator("results")
    @classmethod
    def _spelled_once(cls, folder: str) -> str:
        return folders.check_results(folders.expanded(folder))

    @field_validator("data_cache")
    @classmethod
    def _expanded(cls, folder: str) -> str:
        return folders.check_cache(folders.expanded(folder)) if folder else ""

    @property
    def sections(self) -> dict[str, BaseModel]:
        """The studies to run, by name."""
        sections = {study: getattr(self.studies, study) for study in STUDIES}
        return {study: section for study, section in sections.items() if section is not None}


def read(source: str) -> Configuration:
    """The configuration in a YAML file, or written out as JSON (as the pipeline's rules pass it).

    One that was restored with its results names no folder of results: they are where it is.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML mapping, or has wrong fields.
    """
    if source.lstrip().startswith("{"):
        return validate(read_json(source, "configuration"), "configuration")
    content = read_file(source)
    if isinstance(content, dict) and (Path(source).parent / MANIFEST).exists():
        content = {"results": str(Path(source).parent), **content}
    return validate(content, source)


def combined(files: Sequence[str], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The content of several files, later ones over earlier ones field by field, and changes over all.

    Raises:
        ConfigurationError: a file cannot be read, or is no YAML mapping.
    """
    content: dict[str, Any] = {}
    for file in files:
        _update(content, _mapping(read_file(file), file))
    _update(content, changes)
    return content


def _update(content: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for field, value in changes.items():
        if isinstance(value, Mapping) and isinstance(content.get(field), dict):
            _update(content[field], value)
        else:
            content[field] = value


def _mapping(content: Any, source: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{source}: must be a mapping with the field studies, found {type(content).__name__}"
        )
    return content


def validate(content: Any, source: str) -> Configuration:
    """Check a configuration.

    Args:
        content: as parsed from YAML or JSON.
        source: the file it came from, for messages.

    Raises:
        ConfigurationError: listing every wrong field with its path, its value and what to write.
    """
    try:
        configuration = Configuration.model_validate(_mapping(content, source))
    except ValidationError as error:
        lines = [_explain(detail, source) for detail in error.errors()]
        raise ConfigurationError("\n".join(lines)) from error
    if not configuration.sections:
        raise ConfigurationError(
            f"{source}: studies: names no study, so there is nothing to do; "
            f"add a section for one of {', '.join(STUDIES)}"
        )
    return configuration


def json_schema() -> str:
    """The JSON schema of a configuration file, as in workflow/schemas/config.schema.json."""
    return json.dumps(Configuration.model_json_schema(), indent=2, sort_keys=True) + "\n"


def _explain(detail: ErrorDetails, source: str) -> str:
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part if part.isidentifier() else repr(part)}"
        for part in detail["loc"]
    ).lstrip(".")
    value = detail["input"]
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = _fields_beside(detail["loc"])
            close = get_close_matches(str(detail["loc"][-1]), known, n=1)
            fix = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            kind = "study" if detail["loc"][:-1] == ("studies",) else "field"
            return f"{source}: {path}: unknown {kind}; {fix}"
        case "missing":
            return f"{source}: {path}: missing; add it (workflow/schemas/config.schema.json describes it)"
        case "greater_than_equal":
            fix = f"must be at least {context['ge']:g}"
        case "greater_than":
            fix = f"must be greater than {context['gt']:g}"
        case "less_than_equal":
            fix = f"must be at most {context['le']:g}"
        case "less_than":
            fix = f"must be less than {context['lt']:g}"
        case "too_short":
            fix = f"has {context['actual_length']} values, write at least {context['min_length']}"
        case "literal_error":
            fix = f"write {context['expected']}"
        case "value_error":
            return f"{source}: {path}: {context['error']}"
        case _:
            fix = detail["msg"][0].lower() + detail["msg"][1:]
    return f"{source}: {path}: {_shortened(value)}: {fix}"


def _shortened(value: Any) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a very long number"
    return shown if len(shown) <= 80 else f"{shown[:60]} … {shown[-15:]}"


def _fields_beside(location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields that the parent of a location has."""
    model: Any = Configuration
    for part in location[:-1]:
        annotation = model.model_fields[part].annotation
        if isinstance(annotation, UnionType):
            annotation = next(kind for kind in get_args(annotation) if kind is not type(None))
        model = annotation
    return list(model.model_fields)
