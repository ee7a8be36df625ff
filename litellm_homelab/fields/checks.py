"""What may be written in `homelab.fields`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from litellm_homelab.fields.lists import Lists, reviewed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_homelab.config.settings import Known, Settings

NEEDED: Final = frozenset({"model"})
"""Fields that no setting takes out: another rule decides on them."""


def problems(settings: Settings, known: Known) -> Iterator[str]:
    """What is wrong with `homelab.fields`, in words."""
    lists = reviewed()
    for name, becomes in settings.homelab.fields.items():
        where = f"homelab.fields.{name}"
        if name in NEEDED:
            yield f"{where}: homelab.showroom decides on it; remove this line"
        elif becomes == "pass":
            why = _reach(lists, name, known)
            if why is not None:
                yield f"{where}: got 'pass', but {why}; it can only be 'drop' or 'refuse'"


def _reach(lists: Lists, name: str, known: Known) -> str | None:
    """Why a name may never pass; None where it may."""
    root, _, key = name.partition(".")
    if root in {"metadata", "litellm_metadata"} and key:
        refused = key in lists.metadata_refused or key.startswith(lists.metadata_prefixes)
        return "LiteLLM reads this key as its own note on the request" if refused else None
    if name in lists.headers_refused:
        return lists.headers_refused[name]
    if name in known.params and not lists.knows(name):
        return "the installed LiteLLM reads it, and this package has no rule for it"
    return lists.reach(name)
