"""What is wrong with addresses in router.yaml: LiteLLM sends prompts to its default where it finds none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from litellm_homelab.config.references import ENV_PREFIX, is_unset, meant, resolve, unset_problem
from litellm_homelab.config.wording import plain, quoted, shown

if TYPE_CHECKING:
    from litellm_homelab.config.deployments import Deployment
    from litellm_homelab.config.router_file import RouterFile

ADDRESSES: Final = ("api_base", "base_url")
SCHEMES: Final = ("http", "https", "ws", "wss", "grpc", "grpcs")
NEEDS_ADDRESS: Final = {
    "lm_studio": "LM_STUDIO_API_BASE",
    "custom_openai": "OPENAI_API_BASE",
    "xinference": "XINFERENCE_API_BASE",
    "litellm_proxy": "LITELLM_PROXY_API_BASE",
}
"""Providers without an address, and where LiteLLM looks for one before api.openai.com (1.106.2)."""
SPELLINGS: Final = {
    **dict.fromkeys(("apibase", "baseapi", "baseurl", "urlbase", "apiurl", "apibaseurl"), "api_base"),
    **dict.fromkeys(("baseuri", "apihost", "apiendpoint", "apiaddress", "openaiapibase"), "api_base"),
    **dict.fromkeys(("apikey", "keyapi", "apitoken", "openaiapikey", "apikeys"), "api_key"),
}
"""Other spellings of the two settings, in small letters alone."""
LOOSE: Final = {
    **dict.fromkeys(("url", "uri", "host", "server", "endpoint", "address", "base"), "api_base"),
    **dict.fromkeys(("key", "token", "apisecret"), "api_key"),
}
"""Names that may mean something else, but not where the setting itself is missing."""
TEXTS: Final = frozenset(
    {"api_key", "api_version", "custom_llm_provider", "litellm_credential_name", "organization"}
    | {"azure_ad_token", "azure_username", "azure_password", "azure_scope", "tenant_id", "client_id"}
    | {"client_secret", "region_name", "vertex_project", "vertex_location", "vertex_ai_project"}
    | {"vertex_ai_location", "aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    | {"aws_region_name", "aws_profile_name", "aws_role_name", "aws_session_name", "watsonx_region_name"}
)
"""
Parameters of a deployment that must be text: LiteLLM's router drops one with anything else (1.106.2).

YAML reads `2024-10-21` as a date and `12345` as a number, unless they are quoted.
"""
SECRETS: Final = frozenset(name for name in TEXTS if re.search("key|token|secret|password", name))
KINDS: Final[Mapping[type, str]] = {
    bool: "boolean",
    int: "number",
    float: "number",
    list: "list",
    dict: "mapping",
}
LIKENESS: Final = 0.75
"""How like `api_base` a name must be to be taken for a slip (difflib's ratio); `api_type` has 0.63."""


def problems(router: RouterFile, environ: Mapping[str, str], *, vault: bool) -> Iterator[str]:
    """What is wrong with addresses and with their settings' names; with a `vault` unset is no mistake."""
    for deployment in router.deployments:
        yield from _names(deployment)
        yield from _address(deployment, environ)
        yield from _texts(deployment)
        yield from _quotes(deployment)
    for name, section in router.document.items():
        if name not in {"homelab", "model_list", "environment_variables", "credential_list"}:
            yield from _elsewhere(plain(name), section, router, environ, vault=vault)


# --- names -----------------------------------------------------------------------------------------


def misspelt(name: str, params: Mapping[str, Any]) -> str | None:
    """The setting that a name among a deployment's parameters was probably meant to be."""
    if name in {*ADDRESSES, "api_key", "model"}:
        return None
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    loose = LOOSE.get(letters)
    if loose is not None and not params.get(loose):
        return loose
    close = get_close_matches(name.lower(), [*ADDRESSES, "api_key"], 1, LIKENESS)
    of_another = name.endswith(("_api_key", "_api_base", "_base_url"))  # dd_api_key is LiteLLM's own
    found = SPELLINGS.get(letters) or (close[0] if close and not of_another else None)
    return "api_base" if found == "base_url" else found


def _names(deployment: Deployment) -> Iterator[str]:
    where = f"{deployment.where}.litellm_params"
    for name in deployment.params:
        right = misspelt(name, deployment.params) if isinstance(name, str) else None
        if right is not None:
            yield f"{where}: LiteLLM does not know {quoted(name)}; did you mean {right}?"
    if "base_url" in deployment.params and "api_base" not in deployment.params:
        yield (
            f"{where}.base_url: LiteLLM ignores it on embeddings, responses, messages and images, which "
            "would go to the provider's default address; write api_base"
        )


# --- values ----------------------------------------------------------------------------------------


def _address(deployment: Deployment, environ: Mapping[str, str]) -> Iterator[str]:
    params, where = deployment.params, f"{deployment.where}.litellm_params"
    for name in ADDRESSES:
        if name in params:
            yield from _value(f"{where}.{name}", params[name])
    both = [params[name] for name in ADDRESSES if name in params]
    if len(both) == len(ADDRESSES) and both[0] != both[1]:
        yield f"{where}.base_url: differs from api_base; LiteLLM takes one or the other by route: remove it"
    variable = NEEDS_ADDRESS.get(deployment.provider)
    if variable and not both and not environ.get(variable) and not _misspelt_here(deployment):
        yield (
            f"{where}.api_base: missing; {deployment.provider}/ has no address of its own, so that prompts "
            "would go to api.openai.com"
        )


def _misspelt_here(deployment: Deployment) -> bool:
    names = (name for name in deployment.params if isinstance(name, str))
    return any(misspelt(name, deployment.params) == "api_base" for name in names)


def _value(where: str, value: object) -> Iterator[str]:
    """What is wrong with an address; one whose variable is not set is reported elsewhere."""
    if value is None or value == "":
        yield f"{where}: empty; prompts would go to the provider's default address: set it, or remove it"
    elif not isinstance(value, str):
        yield f"{where}: expected a string, got {shown(value)}"
    elif not is_unset(value):
        yield from _text(where, value)


def _text(where: str, value: str) -> Iterator[str]:
    right = meant(value)
    if right is not None:
        yield f"{where}: LiteLLM does not resolve {quoted(value)}; did you mean {right}, as the whole value?"
    elif not _is_address(value):
        yield f"{where}: expected an address such as http://127.0.0.1:8080/v1, got {quoted(value)}"


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0 and " " not in value
    except ValueError:  # brackets that do not match, a port that is no number
        return False


def _texts(deployment: Deployment) -> Iterator[str]:
    """A model or a key that is a reference to LiteLLM's reader and none to LiteLLM."""
    where = f"{deployment.where}.litellm_params"
    if not deployment.model:
        yield f"{where}.model: missing; it is required"
    for name in ("model", "api_key", "custom_llm_provider", "litellm_credential_name"):
        value = deployment.params.get(name)
        right = meant(value, whole=True) if isinstance(value, str) and not is_unset(value) else None
        if right is not None:
            yield f"{where}.{name}: LiteLLM does not resolve this; did you mean {right}?"


def _quotes(deployment: Deployment) -> Iterator[str]:
    """Values that must be text, and that YAML did not read as text."""
    where = f"{deployment.where}.litellm_params"
    for name, value in deployment.params.items():
        if name in TEXTS and value is not None and not isinstance(value, str):
            yield (
                f"{where}.{name}: expected a string, got {_kind(name, value)}; LiteLLM would leave this "
                "deployment out: write it in quotes"
            )


def _kind(name: str, value: object) -> str:
    """What a value is that YAML did not read as text; a key is not repeated."""
    if isinstance(value, date):
        return f"the date {value}"
    return "a " + KINDS.get(type(value), "value") if name in SECRETS else shown(value)


# --- other sections --------------------------------------------------------------------------------


def _elsewhere(
    where: str, value: object, router: RouterFile, environ: Mapping[str, str], *, vault: bool
) -> Iterator[str]:
    """References that come too late, and addresses in guardrails, search tools and whatever else has them."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _elsewhere(f"{where}[{number}]", item, router, environ, vault=vault)
    elif isinstance(value, dict):
        for name, item in value.items():
            place = f"{where}.{plain(name)}"
            yield from _elsewhere(place, item, router, environ, vault=vault)
            if name in ADDRESSES and isinstance(item, str) and item:
                resolved = resolve(item, environ)
                if is_unset(resolved) and not vault and item.removeprefix(ENV_PREFIX) not in router.late:
                    yield unset_problem(place, item.removeprefix(ENV_PREFIX), router.late)
                elif isinstance(resolved, str) and meant(resolved):
                    yield from _text(place, resolved)
    elif isinstance(value, str) and value.startswith(ENV_PREFIX):
        variable = value.removeprefix(ENV_PREFIX)
        if variable in router.late:
            yield unset_problem(where, variable, router.late)
