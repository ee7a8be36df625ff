"""What may be wrong with an answer that arrived in time."""

from __future__ import annotations

from enum import Enum


class AnswerFault(Enum):
    """Why an answer is none; the value says it to the client."""

    PAGE = "answered with a page in the place of an answer"
    NOT_A_STREAM = "answered in one piece where a stream was asked for"
    UNREADABLE = "sent an answer that is not JSON"
    EMPTY = "sent an empty answer"
    UNFINISHED = "ended its answer before it was complete"
    BROKEN = "broke the connection before its answer was complete"
    FAILED = "reported an error in the middle of its answer"
    TOO_LONG = "sent an event that is too long"
