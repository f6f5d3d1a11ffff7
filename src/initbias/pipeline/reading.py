"""Configuration files as text: YAML in which nothing is guessed, or JSON."""

import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from initbias.pipeline.errors import ConfigurationError

LARGEST_FILE = 2**20  # bytes
DEEPEST = 30  # levels of nesting
MOST_NODES = 100_000  # with everything that aliases stand for
LONGEST_NUMBER = 400  # characters

# Of YAML 1.2. Those of 1.1 read 1:30 as 90, 010 as 8, no as false, and 1e-3 as text.
NUMBERS = {
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:int": (r"[-+]?[0-9]+", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}


class _Loader(yaml.SafeLoader):
    """Numbers of YAML 1.2, and every key once."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, rule) for tag, rule in rules if tag.rpartition(":")[2] in ("null", "merge")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if isinstance(key, Hashable) and seen.setdefault(key, line) != line:
                raise ConfigurationError(
                    f"line {line}: {key} stands twice, in line {seen[key]} too; keep one of them"
                )
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        return int(self.construct_scalar(node))  # 010 is ten


for _tag, (_pattern, _first) in NUMBERS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def read_file(file: str) -> Any:
    """The content of a YAML file.

    Raises:
        ConfigurationError: it cannot be read, is no UTF-8 text or no YAML, or is too large or too deep;
            the message names file and line.
    """
    try:
        content = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"{file}: cannot be read ({reason}); name a file such as config/config.yaml"
        ) from error
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(f"{file}: has {len(content)} bytes; write at most {LARGEST_FILE}")
    return _named(file, content)


def read_json(text: str, source: str) -> Any:
    """The content of a JSON text.

    Raises:
        ConfigurationError: it is no JSON, is too deep, or has a key twice.
    """
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, source))
    except RecursionError as error:
        raise ConfigurationError(f"{source}: is not valid JSON: nested too deeply") from error
    except ValueError as error:
        raise ConfigurationError(f"{source}: is not valid JSON: {error}") from error


def _once(pairs: list[tuple[str, Any]], source: str) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigurationError(f"{source}: {key} stands twice; keep one of them")
    return dict(pairs)


def _named(file: str, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{file}: line {line}: is not UTF-8 text (byte {content[error.start]:#04x}); save the file as "
            "UTF-8"
        ) from error
    try:
        _check_size(text)
        return yaml.load(text, _Loader)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        raise ConfigurationError(f"{file}: {place}is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigurationError(f"{file}: is not valid YAML: {problem}") from error


def _check_size(text: str) -> None:
    """Refuse what would take too long to build, by its events alone."""
    sizes: dict[str | None, int] = {}  # of what anchors stand for
    anchors: list[str | None] = []  # of the collections that are open
    counts: list[int] = [0]  # nodes within them so far
    for event in yaml.parse(text, _Loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.CollectionStartEvent):
            anchors.append(event.anchor)
            counts.append(1)
            if len(anchors) > DEEPEST:
                raise ConfigurationError(
                    f"line {line}: is nested more than {DEEPEST} levels deep; no field is"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            size = counts.pop()
            sizes[anchors.pop()] = size
            counts[-1] += size
        elif isinstance(event, yaml.AliasEvent):
            counts[-1] += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            counts[-1] += 1
            sizes[event.anchor] = 1
            if len(event.value) > LONGEST_NUMBER and event.value.lstrip("+-").isdecimal():
                raise ConfigurationError(
                    f"line {line}: a number of {len(event.value)} digits; write a smaller one"
                )
        if counts[-1] > MOST_NODES:
            raise ConfigurationError(
                f"line {line}: more than {MOST_NODES} values, with what aliases stand for; write less"
            )
