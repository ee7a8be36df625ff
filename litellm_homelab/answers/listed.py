"""What an entry of a listing of models says of its owner: the same for every model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from litellm_homelab.answers.shapes import View

OWNER: Final = "homelab"
"""`owned_by` of every model: LiteLLM's own value is the name of a provider (1.106.2)."""
SAME: Final[Mapping[str, Any]] = {"owned_by": OWNER, "providers": [], "litellm_provider": None}
"""Fields of an entry that name a provider, and what replaces them."""


def entry(value: Any, view: View | None = None) -> Any:  # noqa: ANN401, ARG001 - JSON of any shape
    """A copy of an entry that names no provider; what is not an object stays."""
    if not isinstance(value, Mapping):
        return value
    return {key: SAME.get(key, inner) for key, inner in value.items() if key != "metadata"}
