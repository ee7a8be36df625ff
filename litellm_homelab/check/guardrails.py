"""Traps in guardrails: those that LiteLLM starts without, or that never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from litellm_homelab.check.finding import Found, check
from litellm_homelab.check.names import SLIP
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.wording import closest, did_you_mean, quoted

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document


def _guardrails(doc: Document) -> Iterator[tuple[str, dict[Any, Any], object]]:
    """(where, litellm_params, name) of each guardrail."""
    listed = doc.content.get("guardrails")
    for number, one in enumerate(listed if isinstance(listed, list) else ()):
        params = one.get("litellm_params") if isinstance(one, dict) else None
        if isinstance(params, dict):
            yield f"guardrails[{number}].litellm_params", params, one.get("guardrail_name")


@check("litellm-guardrail-mode", "error", "A guardrail with an unknown `mode` never runs.")
def guardrail_mode(doc: Document) -> Iterator[Found]:
    """Without a line in the log (measured on 1.106.2)."""
    known = doc.names.guardrail_modes
    for where, params, _ in _guardrails(doc):
        mode = params.get("mode")
        for one in mode if isinstance(mode, list) else [mode]:
            if isinstance(one, str) and one not in known and not is_unset(one):
                right = did_you_mean(one, known)
                yield (
                    f"{where}.mode",
                    (
                        f"LiteLLM does not know {quoted(one)}, so the guardrail would never run (known: "
                        f"{', '.join(sorted(known))}){right}"
                    ),
                )


@check(
    "litellm-guardrail-unknown",
    "error",
    "A kind of guardrail that LiteLLM does not know: it starts without it.",
)
def guardrail_unknown(doc: Document) -> Iterator[Found]:
    """`Skipping guardrail ...: proxy is starting WITHOUT this guardrail` (1.108.7)."""
    for where, params, _ in _guardrails(doc):
        kind = params.get("guardrail")
        if (
            isinstance(kind, str)
            and kind not in doc.names.guardrails
            and "." not in kind
            and not is_unset(kind)
        ):
            right = closest(kind, doc.names.guardrails, SLIP)
            meant = f"; did you mean {quoted(right)}?" if right else ""
            yield (
                f"{where}.guardrail",
                f"LiteLLM does not know {quoted(kind)} and starts without this guardrail{meant}",
            )


@check(
    "litellm-guardrail-by-name",
    "hint",
    "A guardrail without `default_on` runs only where a request names it.",
)
def guardrail_by_name(doc: Document) -> Iterator[Found]:
    """`default_on` is false by default, and a deployment may name guardrails too (1.108.7)."""
    lists = [one.params.get("guardrails") for one in doc.entries]
    named = [name for one in lists if isinstance(one, list) for name in one]
    for where, params, name in _guardrails(doc):
        if params.get("default_on") is not True and params.get("guardrail") and name not in named:
            yield (
                where,
                "it runs only for requests that name it; add `default_on: true` to have it run for all",
            )
