"""Traps in references to the environment: what only looks like one, and where LiteLLM resolves none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.config import references
from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.router_file import FALLBACK_SETTINGS
from litellm_homelab.config.wording import quoted

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

NAME: Final = re.compile(r"[A-Za-z_][\w.-]*")
"""What a variable may be called where LiteLLM starts: in a shell, in compose, in Kubernetes."""
BY_THEMSELVES: Final = frozenset({"api_base", "base_url", "model_name"})
"""Settings whose values another message is about."""


@check("litellm-reference", "error", "A text that looks like a reference and is none to LiteLLM.")
def reference(doc: Document) -> Iterator[Found]:
    """`os.environ.X`, `${X}` as a whole value, `os.environ/ X`, and `os.environ/X` inside of another text."""
    told = {"model", "api_key", "custom_llm_provider", "litellm_credential_name"}
    for where, value in doc.texts():
        variable = value.removeprefix(ENV_PREFIX)
        if variable != value and not NAME.fullmatch(variable):
            letters = re.sub(r"\W", "", variable)
            hint = f"; did you mean {ENV_PREFIX}{letters}?" if letters else ""
            yield where, f"no variable has the name {quoted(variable)}{hint}"
            continue
        name = where.rpartition(".")[2]
        if name in BY_THEMSELVES or (name in told and where.startswith("model_list")) or "messages" in where:
            continue
        right = references.meant(value, whole=True)
        if right is not None:
            yield (
                where,
                f"LiteLLM does not resolve {quoted(value)}; did you mean {right}, as the whole value?",
            )
        elif ENV_PREFIX in value[1:]:
            yield where, f"LiteLLM resolves {ENV_PREFIX}NAME only as the whole value, not inside of a text"


@check("litellm-reference-in-list", "error", "A reference in a list, which LiteLLM does not resolve.")
def reference_in_list(doc: Document) -> Iterator[Found]:
    """`_check_for_os_environ_vars` looks into mappings and at mappings in lists only (1.108.7)."""
    for where, value in doc.texts():
        section, _, rest = where.partition(".")
        if not section.endswith("_settings") or not where.endswith("]") or not value.startswith(ENV_PREFIX):
            continue
        if not rest.startswith((*FALLBACK_SETTINGS, "default_fallbacks")):
            yield where, f"LiteLLM does not resolve {value} in a list; write the value itself"
