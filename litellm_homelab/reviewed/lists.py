"""What has been reviewed of LiteLLM's call types and of the hooks of its `CustomLogger`."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files


@functools.cache
def closed_call_types() -> Mapping[str, str]:
    """Call types that are closed, each with the reason; those that are served are in showroom/modes.py."""
    return _reasons(_document()["call_types"])


@functools.cache
def hooks() -> Mapping[str, str]:
    """Every method of `CustomLogger`, with what is done about it."""
    return _reasons(_document()["hooks"])


def _document() -> Mapping[str, Iterable[Mapping[str, str]]]:
    return tomllib.loads(files(__package__).joinpath("lists.toml").read_text(encoding="utf-8"))


def _reasons(groups: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return {name: group["reason"] for group in groups for name in group["names"].split()}
