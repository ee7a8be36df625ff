"""Paths that SDKs build by default and LiteLLM serves under another name: rewritten before anything looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from starlette.types import Scope

SERVED: Final = re.compile(
    r"/(?:chat/completions|completions|embeddings|models(?:/[^/]+)?|images/(?:generations|edits)|"
    r"audio/(?:speech|transcriptions)|moderations|responses(?:/.+)?)"
)
"""Routes of OpenAI's API that LiteLLM serves below /v1, and every one of which a rule of ours sees."""
AZURE: Final = re.compile(r"/openai(?:/v1)?(/(?:responses(?:/.+)?|models(?:/[^/]+)?))")
"""
Azure's base URLs: `<endpoint>/openai/v1` for its newer API, and `<endpoint>/openai`, below which its SDK asks
these two without a deployment in the path. Everything else below `/openai` stays LiteLLM's pass-through.
"""
GOOGLE: Final = re.compile(r"/v1(/models/.+:(?:generateContent|streamGenerateContent|countTokens))")
"""What Google's SDK asks with `api_version="v1"`; LiteLLM answers 405 (1.106.2)."""
ELSEWHERE: Final = ("/openai/", "/v1/models/")
"""How those paths begin that may be served under another."""
ITS_OWN: Final = re.compile(r"/openai/v1/responses(?:/.+)?")
"""Below Azure's path LiteLLM has these itself."""


def known(path: str) -> str:
    """The path under which LiteLLM serves a request; the same where that is the one that was asked for."""
    if not path.startswith(ELSEWHERE):
        return path
    google = GOOGLE.fullmatch(path)
    if google is not None:
        return "/v1beta" + google.group(1)
    azure = None if ITS_OWN.fullmatch(path) else AZURE.fullmatch(path)
    asked = azure.group(1) if azure is not None else ""
    return "/v1" + asked if SERVED.fullmatch(asked) else path


def rewriting(passes_through: bool) -> Callable[[Scope], Scope]:
    """What rewrites requests; nothing where the operator has opened LiteLLM's pass-through below /openai."""
    return _unchanged if passes_through else _rewritten


def _unchanged(scope: Scope) -> Scope:
    return scope


def _rewritten(scope: Scope) -> Scope:
    if scope["type"] != "http":
        return scope
    root, path = str(scope.get("root_path") or ""), str(scope.get("path") or "")
    prefix = root if root and path.startswith(root) else ""
    found = known(path.removeprefix(prefix))
    if prefix + found == path:
        return scope
    changed: dict[str, Any] = {**scope, "path": prefix + found, "raw_path": (prefix + found).encode()}
    return changed
