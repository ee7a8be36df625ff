"""The fields rule: each field, metadata key, query parameter and header passes, is dropped or is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import filterfalse
from typing import Any, Final

from litellm_homelab import refusals
from litellm_homelab.decision import Refuse
from litellm_homelab.fields import metadata, values
from litellm_homelab.fields.lists import Lists, reviewed

DEEPEST: Final = 8
"""How many `extra_body` may be inside each other before the innermost is refused."""
UNKNOWN: Final = "*"
"""The key of `homelab.fields` for names that no list and no LiteLLM knows."""


class Verdict(StrEnum):
    """What becomes of a field; the words of `homelab.fields`."""

    PASS = "pass"  # noqa: S105 - a word of the settings
    DROP = "drop"
    REFUSE = "refuse"


REMEMBERED: Final = 256
"""Names of headers whose verdict is remembered, each of at most `LONGEST_REMEMBERED` characters."""
LONGEST_REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class Screened:
    """
    What is left of a request: `kept` is the very same object where nothing was taken out.

    A refused field is taken out as well, so that LiteLLM never reads it, whatever becomes of the refusal.
    """

    kept: Mapping[str, Any]
    dropped: tuple[str, ...] = ()
    refusal: Refuse | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """
    Decides on what a client sends to a model route.

    `opened` is `homelab.fields`; `litellms` are the parameters of the installed LiteLLM: one that no list
    has is refused. `extra` are further fields that pass on every route and that another rule decides on
    (OptiLLM's). `filters_tags` says that tags choose among deployments here. `banned` are the names that
    the installed LiteLLM takes from no client, in metadata neither.
    """

    opened: Mapping[str, str] = field(default_factory=dict)
    litellms: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    filters_tags: bool = False
    banned: frozenset[str] = frozenset()
    lists: Lists = field(default_factory=reviewed)
    _documented: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)
    """Documented fields by API, looked up once."""
    _unexamined: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)
    """Those of them whose values no rule looks at, and which `homelab.fields` does not close."""
    _header_starts: tuple[str, ...] = ("x-litellm-",)
    """How headers begin that are dropped, as `lists` has them."""
    _headers: dict[str, tuple[Verdict, str]] = field(default_factory=dict, compare=False)
    """Verdicts on headers by name: the first `REMEMBERED` names that came."""
    _passed_headers: set[str] = field(default_factory=set, compare=False)
    """Those of them that pass."""

    def __post_init__(self) -> None:
        starts = (name for name in self.lists.headers_dropped if name.endswith("-"))
        object.__setattr__(self, "_header_starts", ("x-litellm-", *starts))

    # --- the body ----------------------------------------------------------------------------------

    def body(self, api: str, document: Mapping[str, Any]) -> Screened:
        """Decide on a JSON object, or on the fields of a form."""
        return self._body(api, document, "", 0)

    def _body(self, api: str, document: Mapping[str, Any], where: str, depth: int) -> Screened:
        kept = dict(document)
        dropped: list[str] = []
        refusal: Refuse | None = None
        changed = False
        plain = self._plain(api) if depth == 0 else frozenset()
        for name in filterfalse(plain.__contains__, document):
            value = document[name]
            one = self._field(api, name, value, where, depth)
            refusal = refusal or one.refusal
            dropped += one.dropped
            if name not in one.kept:
                del kept[name]
            else:
                kept[name] = one.kept[name]
            changed = changed or name not in kept or kept[name] is not value
        return Screened(kept if changed else document, tuple(dropped), refusal)

    def _field(self, api: str, name: str, value: object, where: str, depth: int) -> Screened:
        """One field: `kept` has it where it stays."""
        root = root_of(name)
        verdict, why = self.field(api, root)
        if depth and verdict is not Verdict.REFUSE and root in self.lists.in_extra_body:
            verdict, why = Verdict.REFUSE, "it would replace a part of the request itself"
        if verdict is Verdict.DROP:
            return Screened({}, (where + name,))
        if verdict is Verdict.REFUSE:
            return Screened({}, refusal=refusals.field(where + name, why))
        return self._value(api, name, value, where, depth)

    def _value(self, api: str, name: str, value: object, where: str, depth: int) -> Screened:
        root = root_of(name)
        if root == "extra_body":
            return self._extra_body(api, name, value, where, depth)
        if root in metadata.FIELDS:
            return self._metadata(name, value, where)
        found = values.problem(root, value)
        opened = found is not None and found.is_state and self.opened.get(root) == Verdict.PASS
        if found is not None and not opened:
            place = where + name + found.place
            return Screened({}, refusal=refusals.value(place, found.why, found.instead))
        return Screened({name: value})

    def field(self, api: str, name: str) -> tuple[Verdict, str]:
        """What becomes of a field by its name, and why where it is refused."""
        if name in self.opened:
            return Verdict(self.opened[name]), "the operator closed it (homelab.fields)"
        if name in self._passing(api):
            return Verdict.PASS, ""
        reach = self.lists.reach(name)
        if reach is not None:
            return Verdict.REFUSE, reach
        if name == "tags" and self.filters_tags:
            return Verdict.REFUSE, "tags choose among deployments here"
        if name in self.lists.dropped or name in self.lists.everywhere:
            return Verdict.DROP, ""
        if name in self.litellms:
            return Verdict.REFUSE, "the installed LiteLLM reads it, and this gateway has no rule for it"
        return Verdict(self.opened.get(UNKNOWN, Verdict.DROP)), "no API documents it (homelab.fields)"

    def _passing(self, api: str) -> frozenset[str]:
        found = self._documented.get(api)
        if found is None:
            found = self.lists.fields_of(api) | self.lists.passed.keys() | self.extra
            self._documented[api] = found
        return found

    def _plain(self, api: str) -> frozenset[str]:
        """Fields that pass, whatever their value: most of what most clients send."""
        found = self._unexamined.get(api)
        if found is None:
            examined = {*values.EXAMINED, *metadata.FIELDS, "extra_body"}
            found = self._passing(api).difference(examined, self.opened)
            self._unexamined[api] = found
        return found

    def _extra_body(self, api: str, name: str, value: object, where: str, depth: int) -> Screened:
        """Judged like the body: LiteLLM merges it over the body (measured on 1.106.2, most providers)."""
        if value is None:
            return Screened({}, (where + name,))  # it would only switch off the deployment's own
        inner = metadata.as_mapping(value)
        if name != "extra_body" or inner is None or depth >= DEEPEST:
            return Screened({}, refusal=refusals.field(where + name, "it must be a JSON object"))
        screened = self._body(api, inner, f"{where}{name}.", depth + 1)
        if not screened.kept:  # an empty one would only switch off the deployment's own
            return Screened({}, screened.dropped, screened.refusal)
        kept: object = value
        if screened.kept is not inner:
            kept = screened.kept if isinstance(value, Mapping) else metadata.as_text(screened.kept)
        return Screened({name: kept}, screened.dropped, screened.refusal)

    def _metadata(self, name: str, value: object, where: str) -> Screened:
        """A metadata field, or one key of it in a form's brackets."""
        keys = metadata.keys_of(name, value)
        verdicts = {key: self.metadata_key(root_of(name), key) for key in keys}
        bad = next((key for key, (verdict, _) in verdicts.items() if verdict is Verdict.REFUSE), None)
        if bad is not None:
            place = where + metadata.shown(name, bad)
            return Screened({}, refusal=refusals.field(place, verdicts[bad][1]))
        gone = [key for key, (verdict, _) in verdicts.items() if verdict is Verdict.DROP]
        dropped = tuple(where + metadata.shown(name, key) for key in gone)
        return Screened(metadata.without(name, value, gone), dropped)

    def metadata_key(self, root: str, key: str) -> tuple[Verdict, str]:
        """What becomes of a key of `metadata` or `litellm_metadata`; a key that LiteLLM ignores passes."""
        for spelled in (f"{root}.{key}", f"metadata.{key}"):
            if spelled in self.opened:
                return Verdict(self.opened[spelled]), "the operator closed it (homelab.fields)"
        if key in self.lists.metadata_refused or key.startswith(self.lists.metadata_prefixes):
            return Verdict.REFUSE, "LiteLLM reads it as its own note on the request"
        if key in self.banned:
            return Verdict.REFUSE, "clients may not set it, not even in metadata"
        if key == "tags" and self.filters_tags:
            return Verdict.REFUSE, "tags choose among deployments here"
        return (Verdict.DROP if key in self.lists.metadata_dropped else Verdict.PASS), ""

    # --- around the body ---------------------------------------------------------------------------

    def query(self, names: Iterable[str]) -> Screened:
        """Decide on the names in a query; `kept` has those that stay."""
        return self.body("query", dict.fromkeys(names))

    def headers(self, names: Iterable[str]) -> Screened:
        """Decide on the names of headers, in lower case; `kept` has those that stay."""
        names = tuple(names)
        if self._passed_headers.issuperset(names):
            return Screened(dict.fromkeys(names))
        kept: dict[str, None] = {}
        dropped: list[str] = []
        refusal: Refuse | None = None
        for name in names:
            verdict, why = self._headers.get(name) or self._remembered(name)
            if verdict is Verdict.PASS:
                kept[name] = None
            elif verdict is Verdict.DROP:
                dropped.append(name)
            else:
                refusal = refusal or refusals.header(name, why)
        return Screened(kept, tuple(dropped), refusal)

    def _remembered(self, name: str) -> tuple[Verdict, str]:
        """A header's verdict; that of a usual name is looked up from now on."""
        judged = self.header(name)
        if len(self._headers) < REMEMBERED and len(name) <= LONGEST_REMEMBERED:
            self._headers[name] = judged
            if judged[0] is Verdict.PASS:
                self._passed_headers.add(name)
        return judged

    def header(self, name: str) -> tuple[Verdict, str]:
        """What becomes of a header; one that LiteLLM takes no orders from passes."""
        if name in self.opened:
            return Verdict(self.opened[name]), "the operator closed it (homelab.fields)"
        if name in self.lists.headers_refused:
            return Verdict.REFUSE, self.lists.headers_refused[name]
        if name == "x-litellm-tags" and self.filters_tags:
            return Verdict.REFUSE, "tags choose among deployments here"
        if name in self.lists.headers_passed:
            return Verdict.PASS, ""
        orders = name in self.lists.headers_dropped or name.startswith(self._header_starts)
        return (Verdict.DROP if orders else Verdict.PASS), ""


def root_of(name: str) -> str:
    """The field that a form's name belongs to: `metadata[tags]` and `include[]` are metadata and include."""
    return name.split("[", 1)[0] if "[" in name else name
