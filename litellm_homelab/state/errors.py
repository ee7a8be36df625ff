"""Why a store cannot answer: one exception, with a cause for the log and nothing that is secret."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Cause(StrEnum):
    """The kinds of causes, each with a text and an advice of its own in `TEXTS`."""

    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    PERMISSION = "permission"
    NO_FOLDER = "no_folder"
    NO_FILE = "no_file"
    NOT_A_DATABASE = "not_a_database"
    DAMAGED = "damaged"
    LOCKED = "locked"
    DISK_ERROR = "disk_error"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CREDENTIALS = "credentials"
    LOADING = "loading"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_ENTRIES = "too_many_entries"
    NO_DATABASE = "no_database"
    LOST = "lost"
    NO_CLIENT = "no_client"
    OTHER = "other"


TEXTS: Final[Mapping[Cause, tuple[str, str]]] = MappingProxyType(
    {
        Cause.DISK_FULL: ("the disk is full", "Free some space on it."),
        Cause.READ_ONLY: (
            "the file or its file system is read-only",
            "Make it writable for the gateway's user.",
        ),
        Cause.PERMISSION: (
            "permission denied",
            "Let the gateway's user read and write the file and its folder.",
        ),
        Cause.NO_FOLDER: ("its folder does not exist", "Create the folder, or change homelab.state."),
        Cause.NO_FILE: (
            "the path is not a file that can be opened",
            "Remove what is there, or change homelab.state.",
        ),
        Cause.NOT_A_DATABASE: (
            "the file is not a SQLite database",
            "If it is not needed, delete it: the gateway creates a new one; else change homelab.state.",
        ),
        Cause.DAMAGED: ("the stored data is damaged", "Delete it: the gateway starts with empty counters."),
        Cause.LOCKED: (
            "the database is locked by another process for too long",
            "End the program that has locked it; the file must be on a local disk.",
        ),
        Cause.DISK_ERROR: (
            "the disk reports an error",
            "Check the disk; the file must be on a local disk, not on a network share.",
        ),
        Cause.UNREACHABLE: (
            "the server cannot be reached",
            "Is Redis running there, and reachable from the gateway?",
        ),
        Cause.TIMEOUT: ("the server does not answer in time", "Is it overloaded, or the network down?"),
        Cause.CREDENTIALS: (
            "the server refuses the user or password",
            "Correct the user and password in homelab.state, and what that user may do.",
        ),
        Cause.LOADING: ("the server is not ready yet", "Wait until it has loaded its data."),
        Cause.OUT_OF_MEMORY: ("the server is out of memory", "Raise its maxmemory, or free some of it."),
        Cause.TOO_MANY_ENTRIES: (
            "too many entries are in use",
            "They expire by themselves; find out which client sends that many requests to OptiLLM handles.",
        ),
        Cause.NO_DATABASE: ("the server has no database of that number", "Correct it in homelab.state."),
        Cause.LOST: (
            "the counters of a request that is under way are gone",
            "Was the store emptied or replaced, or do the workers not share one?",
        ),
        Cause.NO_CLIENT: ("the Redis client is not installed", "pip install 'litellm-homelab[redis]'."),
        Cause.OTHER: ("the store failed", "Look at the kind of error."),
    }
)
"""What each cause is in plain words, and what to do about it."""


class StateUnavailable(Exception):
    """
    The store cannot answer; its user refuses, since an unknown count must not let a request pass.

    Its text is for the log: where the store is, the cause, what to do. `where` and `detail` have no key, no
    prompt and no password; whoever raises it sees to that.
    """

    def __init__(self, where: str, cause: Cause, detail: str = "") -> None:
        what, advice = TEXTS[cause]
        self.cause = cause
        """For code that asks which kind it is."""
        place = f"state {where}" if where else "state"
        self._given = where, cause, detail
        super().__init__(f"{place}: {what}{f' ({detail})' if detail else ''}. {advice}")

    def __reduce__(self) -> tuple[type[StateUnavailable], tuple[str, Cause, str]]:
        """Let it pass from one process to another as it is."""
        return type(self), self._given
