"""What LiteLLM takes for a number, and which of its settings are one plain value."""

from __future__ import annotations

import pytest

from litellm_homelab.check.names import SECTIONS, litellm_names
from litellm_homelab.check.values import is_number


@pytest.mark.parametrize(
    ("value", "whole", "expected"),
    [
        (3, True, True),
        ("3", True, True),
        (3.0, True, True),
        (3.5, True, False),
        (3.5, False, True),
        ("3s", False, False),
        (True, True, False),
        ([3], False, False),
        ({}, False, False),
    ],
)
def test_a_text_of_digits_is_a_number(value: object, whole: bool, expected: bool) -> None:
    """True is none, though Python counts with it."""
    assert is_number(value, whole=whole) is expected


def test_types_are_those_of_the_schema() -> None:
    """Of each section some settings are known to be one plain value, by names that LiteLLM reads there."""
    names = litellm_names()
    for section in SECTIONS:
        assert {"boolean", "integer", "number"} == {*names.types[section].values()}
        assert names.types[section].keys() <= names.settings[section]
