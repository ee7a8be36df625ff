"""docs/fields.md says what the lists say."""

from __future__ import annotations

from tests.docs import fields_page
from tests.docs.blocks import REPOSITORY


def test_the_page_is_made_from_the_lists() -> None:
    """Whoever changes a list makes the page anew: `python -m tests.docs.fields_page > docs/fields.md`."""
    assert (REPOSITORY / "docs" / "fields.md").read_text(encoding="utf-8") == fields_page.page()
