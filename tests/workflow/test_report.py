"""What the report shows beside figures and tables."""

import pytest
from docutils.core import publish_doctree
from docutils.nodes import system_message
from docutils.utils import SystemMessage

from tests.conftest import ROOT

CAPTIONS = {path.name: path.read_text() for path in (ROOT / "workflow" / "report").glob("*.rst")}


@pytest.mark.parametrize("caption", CAPTIONS)
def test_captions_are_valid_in_the_reports_markup(caption: str) -> None:
    """The report renders them as reStructuredText: bars, stars and backquotes have meanings there."""
    options = {"report_level": 1, "halt_level": 5, "warning_stream": False}
    try:
        document = publish_doctree(CAPTIONS[caption], settings_overrides=options)
    except SystemMessage as error:  # what cannot be parsed at all
        pytest.fail(str(error))
    assert [str(message.astext()) for message in document.findall(system_message)] == []
