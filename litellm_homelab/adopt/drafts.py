"""The changed text of a router.yaml: what was decided is edited in, and compared with what it should be."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.adopt import decisions, edits
from litellm_homelab.adopt.decisions import CannotAdopt, Draft, Wishes
from litellm_homelab.adopt.edits import CannotEdit
from litellm_homelab.config import includes, loading, router_file, text_file, yaml_text
from litellm_homelab.config.entry_points import PLUGIN
from litellm_homelab.config.findings import Caution

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Known

UNSET: Final = " is not set"
COMMENT: Final = "# What clients see and may call, and with which keys; `litellm-homelab check` looks at it."


@dataclass(frozen=True, slots=True)
class Adoption:
    """A drafted file."""

    before: str
    after: str
    draft: Draft
    problems: tuple[str, ...]
    """What the start would still stop for."""


def adopt(path: Path, wishes: Wishes, environ: Mapping[str, str], known: Known) -> Adoption:
    """
    Draft the changes of a file; `known` is what the start would know of LiteLLM.

    Raises:
        OSError, ValueError: it cannot be read, drafted from, or edited; the text says what to do.

    """
    before = text_file.read(path)
    document = yaml_text.load(before)
    if not isinstance(document, dict):
        raise CannotAdopt("expected a mapping at the top")
    merged = includes.merged(document, path).content
    router, _ = router_file.read(merged, str(path), environ)
    whole: dict[str, Any] = merged if isinstance(merged, dict) else document
    draft = decisions.decide(whole, router, wishes)
    ends = "\r\n" if before.count("\n") == before.count("\r\n") > 0 else "\n"
    plain = before.replace(ends, "\n")
    _leave_params(plain, document, draft)
    after = edited(plain, draft).replace("\n", ends)
    edits.check(after, expected(document, draft))
    problems = stopping(yaml_text.load(after), path, {**environ, **_placeholders(draft)}, known)
    return Adoption(before, after, draft, problems)


def _leave_params(text: str, document: Mapping[str, Any], draft: Draft) -> None:
    """Take additions to `litellm_params` back where they cannot be written: the file starts without them."""
    try:
        edits.check(with_params(text, draft), _added(document, draft))
    except CannotEdit:
        names = ", ".join(sorted({f"`{name}`" for one in draft.params.values() for name in one}))
        draft.params = {}
        draft.notes.append(
            f"{names} was not added: the entries are written in a style that is not understood"
        )


def with_params(text: str, draft: Draft) -> str:
    """The text with what is added to `litellm_params`."""
    for number, params in draft.params.items():
        for name, value in params.items():
            text = edits.add_param(text, number, name, value)
    return text


def edited(text: str, draft: Draft) -> str:
    """The text with everything that the draft adds."""
    text = with_params(text, draft)
    for number, model in draft.models.items():
        text = edits.set_model(text, number, model)
    for section, name, value in draft.settings:
        text = edits.add_setting(text, section, name, value)
    if draft.callback:
        text = edits.add_callback(text, PLUGIN)
    return edits.append(text, block(draft.homelab))


def expected(document: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """What the edited text must contain."""
    found = _added(document, draft)
    for number, model in draft.models.items():
        found["model_list"][number]["litellm_params"]["model"] = model
    for section, name, value in draft.settings:
        found[section] = {**(found.get(section) or {}), name: value}
    if draft.callback:
        litellm = found.get("litellm_settings") or {}
        own = litellm.get("callbacks") or []
        callbacks = [*(own if isinstance(own, list) else [own]), PLUGIN]
        found["litellm_settings"] = {**litellm, "callbacks": callbacks}
    return {**found, "homelab": draft.homelab}


def _added(document: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(dict(document))
    for number, params in draft.params.items():
        found["model_list"][number]["litellm_params"].update(params)
    return found


def block(homelab: Mapping[str, Any]) -> str:
    """The `homelab:` section as people write it: a list of names one a line, everything small on one line."""
    lines = [COMMENT, "homelab:"]
    for section, content in homelab.items():
        lines.append(f"  {section}:")
        for name, value in content.items():
            lines += _entry(name, value)
    return "\n".join(lines) + "\n"


def _entry(name: str, value: object) -> list[str]:
    if isinstance(value, list):
        return [f"    {edits.scalar(name)}:", *(f"      - {edits.scalar(one)}" for one in value)]
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_flow(one)}" for key, one in value.items())
        return [f"    {edits.scalar(name)}: {{{inner}}}"]
    return [f"    {edits.scalar(name)}: {edits.scalar(value)}"]


def _flow(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(edits.scalar(one) for one in value)}]"
    return edits.scalar(value)


def _placeholders(draft: Draft) -> dict[str, str]:
    """Keys for variables that are not set yet, so that only other problems are reported."""
    return {name: f"not-set-yet-{name}" for name in draft.variables}


def stopping(document: object, path: Path, environ: Mapping[str, str], known: Known) -> tuple[str, ...]:
    """What the start would stop for; variables that are not set yet are left to the check."""
    _, found = loading.examined(document, path=path, environ=environ, known=known)
    return tuple(one for one in found if not isinstance(one, Caution) and UNSET not in one)


__all__ = ["Adoption", "CannotAdopt", "CannotEdit", "Wishes", "adopt", "stopping"]
