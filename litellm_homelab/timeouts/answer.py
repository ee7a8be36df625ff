"""Judges an answer: how far a stream has come, and whether a whole answer is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from litellm_homelab.timeouts.content import Said, has_text, said
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.reading import Format

UNDER_WAY: Final = frozenset({"queued", "in_progress"})
"""Statuses of a response that runs in the background."""


class Heard:
    """What a stream has said so far."""

    def __init__(self, framing: Format) -> None:
        self._opaque = framing is Format.OPAQUE
        self.content = False
        self.finish: str | None = None
        self.error: Mapping[str, Any] | None = None

    def note(self, one: Said) -> None:
        """Take in one event; the first reason to finish counts."""
        self.content = self.content or one.content
        self.finish = self.finish or one.finish
        self.error = self.error or one.error

    @property
    def has_begun(self) -> bool:
        """Whether it may go to the client: it has content, or ends for a reason that needs none."""
        return self.content or Said(finish=self.finish).is_cut

    @property
    def is_finished(self) -> bool:
        """Whether the upstream has said that its answer ends."""
        return self.finish is not None

    def at_the_end(self) -> AnswerFault | None:
        """What is wrong with the stream if it ends here."""
        if self._opaque:
            return None if self.content else AnswerFault.EMPTY
        if not self.is_finished:
            return AnswerFault.UNFINISHED if self.content else AnswerFault.EMPTY
        return None if self.has_begun else AnswerFault.EMPTY


def whole(framing: Format, body: bytes) -> AnswerFault | Mapping[str, Any] | None:
    """What is wrong with an answer in one piece: a fault, the error that it is, or None."""
    if framing is Format.OPAQUE:
        return AnswerFault.PAGE if _is_page(body) else None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        if _is_page(body):
            return AnswerFault.PAGE
        return AnswerFault.UNREADABLE if body.strip() else AnswerFault.EMPTY
    if has_text(document):
        return None
    one = said(document)
    if one.error is not None:
        return one.error
    if one.content or one.is_cut or _is_under_way(document):
        return None
    return AnswerFault.EMPTY


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


def _is_under_way(document: object) -> bool:
    return isinstance(document, Mapping) and document.get("status") in UNDER_WAY
