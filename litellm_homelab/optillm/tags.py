"""`<optillm_approach>` tags in what would reach OptiLLM: where they are, and how to make them inert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "optillm_approach"
"""The tag's name; OptiLLM matches it in lower case only, we in any case."""

_NAME: Final = NAME.encode()

JOINER: Final = "\u2060"
"""WORD JOINER: no width, no break, not white space; what neutralising puts inside a tag."""

_LONG: Final = 4096
"""Characters from which on a text is worth remembering."""

_Step: TypeAlias = str | int
_Entries: TypeAlias = "Iterator[tuple[_Step, object]]"


def _any_case(text: str) -> str:
    # Spelled out, since IGNORECASE also matches letters like the Kelvin sign and is slower.
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in text)


def _any_start(text: str) -> str:
    """Build the pattern of every start of `text`, the empty one included."""
    pattern = ""
    for char in reversed(text):
        pattern = f"(?:{_any_case(char)}{pattern})?"
    return pattern


_OPENING: Final = r"<[\s/]*+"
_TAG: Final = re.compile(f"({_OPENING})(?={_any_case(NAME)})")
_SECOND_HALF: Final = re.compile(_any_case("_approach"))
_UNFINISHED: Final = re.compile(rf"{_OPENING}({_any_start(NAME[:-1])})\s*\Z")
_LEADING: Final = re.compile(r"[\s/]*+")


def find(value: object, clean: dict[int, str] | None = None) -> str | None:
    """
    Return the path of the first tag in a JSON value, such as `messages[2].content[0].text`; None without one.

    A tag is `<`, any white space and slashes, and the name in any case, wherever it is: opening or
    closing, alone or in a pair, in any role, field or key. It may also be split over several texts with
    others between them; the path is then that of the text that completes it. This is wider than OptiLLM's
    own `<optillm_approach>(.*?)</optillm_approach>` (0.4.0 and 0.3.12) on purpose, so that no
    joining, reordering of spaces or removal of an inner tag makes one out of what was let through.
    Linear in the size of the value; never raises. `clean` remembers long texts by identity from one call to
    the next, so that each is searched once; what is around them is looked at every time.
    """
    if not _opens(value):  # nearly every prompt
        return None
    ends = _Ends()
    for path, text, is_key in _texts(value):
        if clean is not None and len(text) >= _LONG and clean.get(id(text)) is text:
            tagged = False
        elif "<" not in text and not ends.waiting:  # nearly every text of nearly every request
            continue
        else:
            tagged = _holds_tag(text)
        if tagged or (not is_key and ends.completed_by(text)):
            return _written(path)
        if clean is not None and len(text) >= _LONG:
            clean[id(text)] = text
        if not is_key:
            ends.note(text)
    return None


def _opens(value: object) -> bool:
    """Whether any text of a JSON value, or any key, has a `<`: without one there is no tag."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "<" in one:
                return True
        elif isinstance(one, dict):
            waiting += one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += [inner for inner in one if isinstance(inner, str | dict | list)]  # no token ids
    return False


def neutralise(value: object) -> object:
    """
    Return the value with a word joiner inside every tag, so that `find` is None and it reads the same.

    The input is not touched; a value without any tag comes back as the very same object.
    """
    if find(value) is None:
        return value
    ends = _Ends()
    if isinstance(value, str):
        return _inert(value, ends)
    root = _empty_like(value)
    stack = [(_entries(value), root)]
    while stack:
        entries, target = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
        elif isinstance(entry[1], dict | list):
            copy = _empty_like(entry[1])
            _put(target, entry[0], copy)
            stack.append((_entries(entry[1]), copy))
        else:
            child = entry[1]
            _put(target, entry[0], _inert(child, ends) if isinstance(child, str) else child)
    return root


def _put(target: dict[_Step, object] | list[object], step: _Step, child: object) -> None:
    if isinstance(target, list):
        target.append(child)
        return
    key = _broken(step) if isinstance(step, str) and _holds_tag(step) else step
    while key in target:  # JSON may hold the broken spelling as a key of its own
        key = f"{key}{JOINER}"
    target[key] = child


def _inert(text: str, ends: _Ends) -> str:
    completes = ends.completed_by(text)
    ends.note(text)
    inert = _broken(text) if _holds_tag(text) else text
    if not completes:
        return inert
    start = _leading(inert)
    return inert[:start] + JOINER + inert[start:]


def _broken(text: str) -> str:
    return _TAG.sub(rf"\g<1>{JOINER}", text)


class _Ends:
    """How far the ends of the texts read so far have spelled an opening tag that a later one may complete."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: set[int] = set()  # letters of the name spelled by each opening left unfinished

    def note(self, text: str) -> None:
        """Remember an opening that the end of the text leaves unfinished."""
        last = text.rfind("<")
        unfinished = _UNFINISHED.match(text, last) if last >= 0 else None
        if unfinished:
            self.waiting.add(len(unfinished[1]))

    def completed_by(self, text: str) -> bool:
        """Whether the text continues where an earlier one stopped, to the end of the name."""
        return bool(self.waiting) and self._goes_on(text[_leading(text) :].rstrip())

    def _goes_on(self, text: str) -> bool:
        head = text[: len(NAME)].lower()
        rests = {count: NAME[count:] for count in self.waiting}
        if any(head.startswith(rest) for rest in rests.values()):
            return True
        if head and len(text) <= len(NAME):  # the whole text may be a middle piece
            self.waiting |= {count + len(head) for count, rest in rests.items() if rest.startswith(head)}
        return False


def _leading(text: str) -> int:
    match = _LEADING.match(text)
    return match.end() if match else 0


def _holds_tag(text: str) -> bool:
    # The cheap tests first: in 1 MB of prose or code each takes far less than a regular expression.
    if "<" not in text or "_" not in text:
        return False
    # Bytes are put into lower case twice as fast as text.
    half = _NAME in text.encode().lower() if text.isascii() else _SECOND_HALF.search(text)
    return bool(half) and _TAG.search(text) is not None


def _texts(value: object) -> Iterator[tuple[list[_Step], str, bool]]:
    """Walk the texts and keys of a JSON value in order, without recursion; the path is right at each step."""
    path: list[_Step] = []
    if isinstance(value, str):
        yield path, value, False
    stack = [_entries(value)]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            del path[-1:]
            continue
        step, child = entry
        path.append(step)
        if isinstance(step, str):
            yield path, step, True
        if isinstance(child, str):
            yield path, child, False
        if isinstance(child, dict | list):
            stack.append(_entries(child))
        else:
            path.pop()


def _entries(value: object) -> _Entries:
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value) if isinstance(value, list) else iter(())


def _empty_like(value: object) -> dict[_Step, object] | list[object]:
    return {} if isinstance(value, dict) else []


def _written(path: list[_Step]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:60]}" for step in path)
    return text.removeprefix(".") or "the text"
