"""Why a tool has no result, in words for the model that called it."""

from __future__ import annotations


class ToolFault(Exception):
    """A tool has no result; its text says why, and what to do where something can be done."""
