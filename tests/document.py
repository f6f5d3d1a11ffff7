"""What the sources of the document ask from results, and numbers that they should not hold."""

import re

from initbias.studies import STUDIES
from tests.conftest import ROOT

SOURCES = ROOT / "paper"
SECTIONS = sorted((SOURCES / "sections").glob("*.typ"))
OF_STUDIES = [file.stem for file in SECTIONS if file.stem in STUDIES]
ASKING = r"#?\b(?:measured|verdict|count|found|claim-table)\("
CONVENTION = "95 %"  # the level of intervals


def requested(section: str) -> list[str]:
    """Patterns of claims that a section asks for."""
    text = (SOURCES / "sections" / f"{section}.typ").read_text()
    found: list[str] = []
    for call in re.finditer(ASKING, text):
        strings = re.sub(r"kinds: \([^)]*\)", "", _balanced(text, call.end() - 1))
        found += [name for name in re.findall(r'"([^"]*)"', strings) if re.match(r"[A-EN]-", name)]
    return found


def literal_results(text: str) -> list[str]:
    """Decimals, numbers of three digits or more and percentages in text and formulas."""
    left = prose(text).replace(CONVENTION, "")
    return re.findall(r"\d+\.\d+|\d{3,}|\d+\s?%", left)


def prose(text: str) -> str:
    """A source without comments, raw text, citations and the arguments of functions in parentheses."""
    text = re.sub(r"(?<!:)//.*", "", text)
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    text = re.sub(r"[@<][a-z]+\d*>?", "", text)
    text = re.sub(r"^\s*#(set|show|import|include) .*", "", text, flags=re.MULTILINE)
    while call := re.search(r"#[a-z.-]+\(", text):
        inside = _balanced(text, call.end() - 1)
        blocks = " ".join(re.findall(r"\[[^\[\]]*\]", inside))  # content is text again
        text = text[: call.start()] + blocks + text[call.end() - 1 + len(inside) :]
    return text


def _balanced(text: str, start: int) -> str:
    """From a parenthesis to the one that closes it."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return text[start : place + 1]
    raise ValueError(f"no end of {text[start : start + 40]!r}")
