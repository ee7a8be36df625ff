"""YAML as its writer meant it: a duplicate key is a mistake, and no text hangs or breaks the loader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml

from litellm_homelab.config.wording import hide_keys, quoted

MERGE: Final = "tag:yaml.org,2002:merge"
"""The tag of YAML's `<<`, which may be used beside keys that it brings along."""
DEEPEST: Final = 64
"""Levels of nesting; LiteLLM itself reads 100 (`DEFAULT_MAX_RECURSE_DEPTH`, 1.106.2)."""
TOO_DEEP: Final = f"nested more than {DEEPEST} levels deep"
MOST_BY_ALIAS: Final = 100_000
"""Values that a document may get by repeating others with `*alias`; a router.yaml has a few hundred."""
SCALARS: Final = ("bool", "int", "float", "binary", "timestamp")
"""Kinds of scalar whose constructors raise other errors than YAMLError for a text that is not one of them."""


ADVICE: Final = {
    "found character '\\t'": "; write spaces in the place of tabs",
    "mapping values are not allowed here": "; is it indented as the line above it is?",
}
"""What to do about what PyYAML says of common slips."""
_NAMES: Final = re.compile(r"\b(alias|tag|anchor|handle) '[^']*'")
"""Names that PyYAML's messages repeat."""


class NotReadable(ValueError):
    """The file is not what LiteLLM could load; the text says what is wrong and where."""


class _Refused(yaml.MarkedYAMLError):
    """What PyYAML would take, and we do not."""


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a duplicate key, where PyYAML silently keeps the last."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: ANN401, N803 - PyYAML's
        """Stop at the limit already here: PyYAML looks ahead, at every level for each token."""
        if self.flow_level >= DEEPEST:
            raise _Refused(problem=TOO_DEEP, problem_mark=self.get_mark())
        super().fetch_flow_collection_start(TokenClass)


def load(text: str) -> object:
    """
    Read one YAML document.

    Raises:
        NotReadable: not YAML, more than one document, a duplicate key, nested more than 64 levels deep, or an
            alias that repeats itself or too much. For every text that is no other exception.

    """
    try:
        _measure(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader underneath
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        raise NotReadable(_problem(error)) from error
    except RecursionError as error:  # a caller that is deep down already leaves less room
        raise NotReadable("not readable as YAML: nested too deeply") from error


# --- before anything is built ----------------------------------------------------------------------


def _measure(text: str) -> None:
    """
    Refuse what would grow beyond measure.

    By the parser in C where there is one, ten times as fast; what it refuses is read again by the one in
    Python, whose messages and places are reported.
    """
    for loader in (getattr(yaml, "CSafeLoader", _Loader), _Loader):
        measure = _Measure()
        try:
            for event in yaml.parse(text, Loader=loader):
                measure.take(event)
        except (yaml.YAMLError, ValueError):
            if loader is _Loader:
                raise
        else:
            return


class _Measure:
    """Refuses what would grow beyond measure, in one pass over the parser's events: see `take`."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        """Values below each anchor that is complete."""
        self._open: list[tuple[str | None, int]] = [(None, 0)]
        """Anchor and values so far of each collection around the present event."""
        self._by_alias = 0

    def take(self, event: yaml.Event) -> None:
        """
        Look at the next event.

        Aliases of aliases double with each line ("billion laughs"); PyYAML shares what they repeat, so that
        the work begins where the document is walked.
        """
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, 1))
            if len(self._open) > DEEPEST + 1:
                raise _at(event, TOO_DEEP)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(*self._open.pop())
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event.anchor, 1)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if any(event.anchor == anchor for anchor, _ in self._open):
            raise _at(event, "an alias repeats the value that it is part of")
        size = self._sizes.get(event.anchor or "", 1)  # an unknown one is the composer's to report
        self._by_alias += size
        if self._by_alias > MOST_BY_ALIAS:
            raise _at(event, f"aliases repeat more than {MOST_BY_ALIAS} values")
        self._add(None, size)

    def _add(self, anchor: str | None, size: int) -> None:
        outer, before = self._open[-1]
        self._open[-1] = outer, before + size
        if anchor is not None:
            self._sizes[anchor] = size


def _at(event: yaml.Event, problem: str) -> _Refused:
    mark: Any = event.start_mark  # of PyYAML's own parser, as the loader is
    return _Refused(problem=problem, problem_mark=mark)


# --- values ----------------------------------------------------------------------------------------


def _mapping(loader: yaml.SafeLoader, node: yaml.Node) -> dict[Any, Any]:
    if not isinstance(node, yaml.MappingNode):  # `!!map` before something else
        raise _error(node, "expected a mapping")
    seen: set[object] = set()
    for written, _ in node.value:
        if written.tag == MERGE:
            continue
        key = loader.construct_object(written, deep=True)
        try:
            duplicate = key in seen
        except TypeError:
            raise _error(written, "a key must be a string or a number, not a list or a mapping") from None
        if duplicate:
            raise _error(written, f"duplicate key {quoted(key)}; remove one")
        seen.add(key)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


def _scalar(kind: str) -> Callable[[yaml.SafeLoader, yaml.Node], object]:
    construct: Callable[[yaml.SafeLoader, yaml.Node], object] = getattr(
        yaml.SafeLoader, f"construct_yaml_{kind}"
    )

    def checked(loader: yaml.SafeLoader, node: yaml.Node) -> object:
        try:
            return construct(loader, node)
        except Exception as error:  # PyYAML lets KeyError, IndexError, AttributeError and ValueError through
            raise _error(node, f"not a valid {kind}") from error

    return checked


def _error(node: yaml.Node, problem: str) -> _Refused:
    return _Refused(problem=problem, problem_mark=node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _kind in SCALARS:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _scalar(_kind))


def _problem(error: Exception) -> str:
    """The parser's complaint on one line, its place first, without anything that looks like a key."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        what += next((advice for sign, advice in ADVICE.items() if sign in what), "")
        what = _NAMES.sub(r"\1", what)  # `key: *sk-...` and `key: !sk-...` are an alias and a tag
        complaint = what if isinstance(error, _Refused) else f"not readable as YAML: {hide_keys(what)}"
        return f"line {mark.line + 1}, column {mark.column + 1}: {complaint}"
    return f"not readable as YAML: {hide_keys(' '.join(str(error).split()))}"


def section_of(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A section of a file's content; empty where it is missing or something else."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}
