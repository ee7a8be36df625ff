"""The rule of the transport: does this request go to the chosen deployment, with its key and model?"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from litellm_homelab.attempts import address, endpoints
from litellm_homelab.attempts.address import Address
from litellm_homelab.optillm import lineage

CREDENTIALS: Final = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key")
"""Headers that carry a key of the upstream's, over the APIs that `endpoints` lists."""
ACCOUNTS: Final = ("openai-organization", "openai-project")
"""Headers that choose an account of OpenAI's."""
JUDGED: Final = frozenset({*CREDENTIALS, *ACCOUNTS})
"""The headers that `wrong` looks at; no other needs to be in `Leaving`."""
PLACEHOLDERS: Final = frozenset(
    {"", "None", "none", "null", "fake-api-key", "dummy", "dummy-key", "anything", "not-needed", "no-key"}
    | {"EMPTY", "lemonade"}
)
"""What LiteLLM 1.106.2 sends where a deployment has no key; it opens nothing."""
MODEL_FIELDS: Final = ("models", "draft_model", "adapters")
"""Fields of a body that name further models: OpenRouter's `models`, mlx_lm.server's other two."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A deployment as the transport must see it; compared as an object, each deployment has one."""

    group: str
    provider: str
    bases: tuple[Address, ...]
    """Its `api_base`; without one, where its provider is. Empty where it is unknown."""
    keys: frozenset[str]
    """Values that a credential may have."""
    models: frozenset[str]
    """How a request may name the model to the upstream."""
    any_key: bool = False
    """Its provider gives out tokens (OAuth, signatures), which this gateway does not know."""
    marked: bool = False
    """It is OptiLLM: the model's name may carry a lineage token."""
    fields: frozenset[str] = frozenset()
    """Those of `MODEL_FIELDS` that the deployment's own parameters set."""
    accounts: frozenset[str] = frozenset()
    """Values that a header of `ACCOUNTS` may have."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An HTTP request on its way out: its headers of `JUDGED`, with their names in lower case."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    named: tuple[object, ...] = ()
    """Values of `model` in the body."""
    fields: frozenset[str] = field(default_factory=frozenset)
    """Those of `MODEL_FIELDS` that the body has."""


def wrong(target: Target, leaving: Leaving) -> str | None:
    """What of a request is not the target's: `address`, `path`, `query`, `key`, `account` or `model`."""
    is_usual = len(leaving.url) <= address.LONGEST_REMEMBERED
    return (
        (_remembered if is_usual else _wrong_url)(target, leaving.url)
        or _wrong_key(target, leaving)
        or _wrong_account(target, leaving)
        or _wrong_model(target, leaving)
    )


def _wrong_url(target: Target, url: str) -> str | None:
    where = address.parse(url)
    if where is None:
        return "address"
    in_query = [value for name, value in where.query if name == "key"]
    return _wrong_address(target, where) or (None if _are_keys(target, in_query) else "key")


_remembered = functools.lru_cache(maxsize=1024)(_wrong_url)
"""The same few URLs come with every request."""


def _wrong_address(target: Target, where: Address) -> str | None:
    if not target.bases:  # a provider whose address is unknown here: it must be encrypted at least
        return None if where.scheme == "https" else "address"
    here = [base for base in target.bases if base.origin == where.origin]
    if not here:
        return "address"
    if not any(_is_path(target, base, where) for base in here):
        return "path"
    if target.provider not in endpoints.STRICT:
        return None
    known = endpoints.QUERY.union(*(dict(base.query) for base in here))
    return None if all(name in known for name, _ in where.query) else "query"


def _is_path(target: Target, base: Address, where: Address) -> bool:
    if where.segments == base.segments:
        return True
    if target.provider in endpoints.GOOGLE and _verb_behind(base, where):
        return True
    root = endpoints.root(base.segments)
    if where.segments[: len(root)] != root:
        return False
    rest = where.segments[len(root) :]
    if target.provider not in endpoints.STRICT:
        return True
    if any("/" in one and not any(model in one for model in target.models) for one in rest):
        return False  # a slash that was encoded, in the place of one that is not
    return endpoints.is_endpoint(rest, target.provider, target.models)


def _verb_behind(base: Address, where: Address) -> bool:
    """Whether it is `<api_base>:generateContent`, LiteLLM's way of asking a proxy for Google's models."""
    last = base.segments[-1] if base.segments else ""
    return bool(last) and (
        where.segments[:-1] == base.segments[:-1]
        and where.segments[-1].startswith(f"{last}:")
        and where.segments[-1][len(last) + 1 :].isalpha()
    )


def _wrong_key(target: Target, leaving: Leaving) -> str | None:
    sent = [value for name, value in leaving.headers if name in CREDENTIALS]
    return None if _are_keys(target, sent) else "key"


def _are_keys(target: Target, sent: Iterable[str]) -> bool:
    return target.any_key or all(_is_key(target, value) or _is_key(target, bare(value)) for value in sent)


def _is_key(target: Target, value: str) -> bool:
    return value in target.keys or value in PLACEHOLDERS


def bare(value: str) -> str:
    """A credential without its scheme."""
    scheme, _, key = value.partition(" ")
    return key.strip() if scheme.lower() in {"bearer", "basic", "key", "token"} else value.strip()


def _wrong_account(target: Target, leaving: Leaving) -> str | None:
    sent = (value for name, value in leaving.headers if name in ACCOUNTS)
    return None if all(value in target.accounts for value in sent) else "account"


def _wrong_model(target: Target, leaving: Leaving) -> str | None:
    if not leaving.fields <= target.fields:
        return "model"
    return None if all(_is_model(target, value) for value in leaving.named) else "model"


def _is_model(target: Target, value: object) -> bool:
    if not isinstance(value, str):
        return False
    name = value.split(lineage.MARKER, 1)[0] if target.marked else value
    return name in target.models


def carried(target: Target, attempt: Mapping[str, object], own: Mapping[str, object]) -> str | None:
    """
    Which argument of an attempt is not the target's, before LiteLLM makes a request of it.

    `own` are the deployment's parameters. Nested calls of LiteLLM name the model without its provider, and
    the address and key that it has found itself.
    """
    for name in ("api_base", "base_url"):
        value = attempt.get(name)
        if value is not None and value != own.get("api_base") and not _is_base(target, value):
            return name
    key = attempt.get("api_key")
    if isinstance(key, str) and not target.any_key and not _is_key(target, key):
        return "api_key"
    provider = attempt.get("custom_llm_provider")
    if provider is not None and not _same_provider(target.provider, str(provider)):
        return "custom_llm_provider"
    model = attempt.get("model")
    if model is not None and not _is_attempts_model(target, model):
        return "model"
    return next((name for name in STEERING if attempt.get(name) != own.get(name)), None)


STEERING: Final = ("deployment_id", "organization", "azure_ad_token", "litellm_credential_name")
"""Arguments of LiteLLM that choose a path, an account or a credential; a deployment's own or absent."""


def _is_base(target: Target, value: object) -> bool:
    found = address.parse(value) if isinstance(value, str) else None
    return found is not None and any(
        base.origin == found.origin and found.segments[: len(endpoints.root(base.segments))]
        == endpoints.root(base.segments) for base in target.bases
    )  # fmt: skip


def _same_provider(own: str, sent: str) -> bool:
    pair = {own, sent}
    return len(pair) == 1 or any(pair <= family for family in FAMILIES)


FAMILIES: Final = (
    frozenset({"openai", "text-completion-openai", "custom_openai"}),
    frozenset({"azure", "azure_text"}),
    frozenset({"ollama", "ollama_chat"}),
    frozenset({"cohere", "cohere_chat"}),
    frozenset({"mistral", "codestral", "text-completion-codestral"}),
    frozenset({"vertex_ai", "vertex_ai_beta"}),
    frozenset({"anthropic", "anthropic_text"}),
)
"""Names of LiteLLM for one and the same provider, between which it changes on some routes."""


BY_RESPONSES: Final = "responses/"
"""
What LiteLLM puts between provider and model to have a call go to /v1/responses.

So it does for messages that ask an `openai/` model for thinking (1.106.2).
"""


def _is_attempts_model(target: Target, value: object) -> bool:
    if not isinstance(value, str):
        return False
    name = value.split(lineage.MARKER, 1)[0] if target.marked else value
    inner = name.partition("/")[2]
    return not target.models.isdisjoint((name, inner, inner.removeprefix(BY_RESPONSES)))
