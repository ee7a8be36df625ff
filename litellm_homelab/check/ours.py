"""What surrounds our own settings: what is loaded, what is reached, and how strong the keys are."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.access.callers import PLACEHOLDERS
from litellm_homelab.access.table import matches
from litellm_homelab.check.finding import Found, check
from litellm_homelab.config.entry_points import GATE, OLD_PREFIX, PLUGIN
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.wording import quoted
from litellm_homelab.optillm.addresses import LOOPBACK, address_of

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

SHORT: Final = 16
"""Characters of a key that is not yet weak; `openssl rand -hex 16` prints 32."""
COMMON: Final = frozenset(
    {"changeme", "change-me", "secret", "password", "sk-master", "sk-test", "sk-litellm"}
)
"""Keys that people try first; `sk-1234` LiteLLM refuses itself."""
OTHERS: Final = (OLD_PREFIX, "litellm_homelab.guardrails.")
"""What another message is about, and guardrails."""
NO_KEY: Final = frozenset({"", "none", "dummy", "no-key", "not-needed", "na", "n/a", "x", "empty"})


@check("shadowed-package", "error", "A file beside router.yaml that LiteLLM loads in our place.")
def shadowed(doc: Document) -> Iterator[Found]:
    """LiteLLM takes `litellm_homelab.py` beside router.yaml for the package (`get_instance_fn`, 1.108.7)."""
    place = doc.path.parent / "litellm_homelab.py"
    for setting in ("litellm_settings.callbacks", "general_settings.custom_auth"):
        section, _, name = setting.partition(".")
        if place.exists() and doc.section(section).get(name):
            yield (
                setting,
                f"LiteLLM would load {place.name} beside this file in the place of the package; rename it",
            )
            return


@check("gate-in-callbacks", "error", "The gate is in the list of callbacks.")
def gate_in_callbacks(doc: Document) -> Iterator[Found]:
    """A function among the callbacks starts, and fails each request (measured on 1.106.2)."""
    if GATE in doc.router.callbacks:
        yield (
            "litellm_settings.callbacks",
            (
                f"{GATE} is an auth function, and as a callback it fails each request; write "
                f"`custom_auth: {GATE}` "
                "under general_settings"
            ),
        )


@check("entry-point-unknown", "error", "A name of this package that LiteLLM cannot load.")
def entry_point_unknown(doc: Document) -> Iterator[Found]:
    """LiteLLM would stop with a traceback (`get_instance_fn`, 1.108.7)."""
    auth = doc.section("general_settings").get("custom_auth")
    named = [("general_settings.custom_auth", auth, GATE)]
    for setting in ("callbacks", "success_callback", "failure_callback"):
        value = doc.section("litellm_settings").get(setting)
        listed = value if isinstance(value, list) else [value]
        named += [(f"litellm_settings.{setting}", one, PLUGIN) for one in listed]
    for where, name, right in named:
        if not isinstance(name, str) or name in (PLUGIN, GATE) or name.startswith(OTHERS):
            continue
        if name.startswith("litellm_homelab."):
            yield where, f"this package has no {quoted(name)}; write {right}"


@check("plugin-twice", "warning", "The plugin is in the list of callbacks twice.")
def plugin_twice(doc: Document) -> Iterator[Found]:
    """The start removes the second."""
    if doc.router.callbacks.count(PLUGIN) > 1:
        yield "litellm_settings.callbacks", f"{PLUGIN} is in this list twice; remove one"


@check("metrics-without-prometheus", "warning", "A caller reads metrics that nothing serves.")
def metrics_without_prometheus(doc: Document) -> Iterator[Found]:
    """LiteLLM serves /metrics/ with its callback `prometheus` only."""
    if doc.settings is None:
        return
    litellm = doc.section("litellm_settings")
    others = litellm.get("success_callback")
    named = others if isinstance(others, list) else [others]
    if "prometheus" in doc.router.callbacks or "prometheus" in named:
        return
    for name, caller in doc.settings.homelab.callers.items():
        if caller.role == "metrics":
            yield (
                f"homelab.callers.{name}",
                (
                    "nothing serves /metrics/; write `callbacks: [prometheus, litellm_homelab.plugin]` under "
                    "litellm_settings"
                ),
            )


@check("group-unreachable", "hint", "A group that no client and no fallback reaches.")
def group_unreachable(doc: Document) -> Iterator[Found]:
    """In none of the showroom's lists, it is backroom: never reachable."""
    if doc.settings is None:
        return
    showroom = doc.settings.homelab.showroom
    placed = {*doc.settings.handles, *showroom.hidden, *showroom.internal}
    below = {one.wildcard for one in doc.deployments if one.group in placed}
    below |= {one.group for one in showroom.discover.values()}
    # Of a fallback's target the start says that it is backroom.
    seen = {target for _, _, targets in (*doc.router.fallbacks, *doc.router.leads) for target in targets}
    for one in doc.entries:
        if one.name and one.name not in placed | below | seen and not doc.router.in_database:
            seen.add(one.name)
            yield (
                f"{one.where}.model_name",
                (
                    f"no client can reach {quoted(one.name)}; list it under handles, hidden or internal of "
                    "homelab.showroom, or remove it"
                ),
            )


@check("internal-unreachable", "hint", "An internal name that nothing leads to.")
def internal_unreachable(doc: Document) -> Iterator[Found]:
    """Internal names serve fallbacks and OptiLLM's calls back."""
    if doc.settings is None:
        return
    callers = doc.settings.homelab.callers.values()
    if doc.settings.homelab.optillm or any(one.role == "optillm" for one in callers):
        return
    led = {target for _, _, targets in (*doc.router.fallbacks, *doc.router.leads) for target in targets}
    for number, name in enumerate(doc.settings.homelab.showroom.internal):
        if name not in led:
            yield (
                f"homelab.showroom.internal[{number}]",
                (
                    f"no fallback leads to {quoted(name)} and no OptiLLM calls back; add it to a fallback, "
                    "or remove it"
                ),
            )


@check("pass-through-closed", "hint", "A pass-through endpoint is closed unless `gate.open` names it.")
def pass_through_closed(doc: Document) -> Iterator[Found]:
    """No rule sees what it leads to."""
    listed = doc.section("general_settings").get("pass_through_endpoints")
    opened = doc.settings.homelab.gate.open if doc.settings else []
    for number, one in enumerate(listed if isinstance(listed, list) else ()):
        path = one.get("path") if isinstance(one, dict) else None
        if isinstance(path, str) and not matches(path, opened):
            yield (
                f"general_settings.pass_through_endpoints[{number}]",
                (
                    f"{path} is closed, since no rule sees where it leads; add `homelab.gate.open: "
                    f"[{path}]` to open it"
                ),
            )


# --- keys ------------------------------------------------------------------------------------------


@check("weak-key", "warning", "A key that is short, or that people try first.")
def weak_key(doc: Document) -> Iterator[Found]:
    """The master key, and those of callers; the key itself is never shown."""
    for where, key in _keys(doc):
        if key.lower() in COMMON or (len(key) < SHORT and key not in ("", "sk-1234", *PLACEHOLDERS)):
            yield (
                where,
                f"{len(key)} characters are easy to guess; set a key such as `openssl rand -hex 24` prints",
            )


@check("secret-is-the-master-key", "warning", "`homelab.secret` is the master key.")
def secret_is_the_master_key(doc: Document) -> Iterator[Found]:
    """The secret is derived from the master key where it is not set; a second use of the key adds nothing."""
    homelab = doc.section("homelab")
    secret = doc.resolved(homelab.get("secret"))
    master = doc.settings.master_key if doc.settings else ""
    if secret and secret == master and not is_unset(secret):
        yield "homelab.secret", "the same as the master key; set another, or remove it: it is then derived"


def _keys(doc: Document) -> Iterator[tuple[str, str]]:
    """(where, key) of keys that are known here."""
    found = [("general_settings.master_key", doc.section("general_settings").get("master_key"))]
    callers = doc.section("homelab").get("callers")
    for name, one in callers.items() if isinstance(callers, dict) else ():
        if isinstance(one, dict):
            found += [(f"homelab.callers.{name}.{which}", one.get(which)) for which in ("key", "next_key")]
    for where, value in found:
        key = doc.resolved(value)
        if isinstance(key, str) and key and not is_unset(key):
            yield where, key


# --- OptiLLM's deployments -------------------------------------------------------------------------


def _optillm(doc: Document) -> Iterator[tuple[str, str, object]]:
    """(where, address, key) of the deployments of OptiLLM handles."""
    handles = doc.section("homelab").get("optillm")
    for one in doc.deployments:
        if isinstance(handles, dict) and one.group in handles and not one.wildcard:
            yield f"{one.where}.litellm_params", one.api_base, one.params.get("api_key")


@check("optillm-gate-key-sk", "error", "OptiLLM's gate key begins with `sk-`: it is sent on to the gateway.")
def optillm_gate_key(doc: Document) -> Iterator[Found]:
    """OptiLLM takes a bearer that begins so for its upstream's key (measured on 0.3.12 and 0.4.0)."""
    for where, _, key in _optillm(doc):
        if isinstance(key, str) and key.startswith("sk-"):
            yield (
                f"{where}.api_key",
                (
                    "a key that begins with sk- is sent on by OptiLLM in the place of its own; choose "
                    "one without, "
                    "such as `openssl rand -hex 24` prints"
                ),
            )


@check(
    "optillm-without-gate-key", "warning", "OptiLLM without a gate key serves everyone who reaches its port."
)
def optillm_without_gate_key(doc: Document) -> Iterator[Found]:
    """`--optillm-api-key` of OptiLLM."""
    for where, _, key in _optillm(doc):
        if key is None or (isinstance(key, str) and key.lower() in NO_KEY):
            place = f"{where}.api_key" if key is not None else where
            yield (
                place,
                "OptiLLM is asked without a key; start it with --optillm-api-key, and set that key here",
            )


@check("optillm-beyond-loopback", "warning", "OptiLLM is reached over the network: it runs what prompts say.")
def optillm_beyond_loopback(doc: Document) -> Iterator[Found]:
    """An address that is a number and not loopback; a container's name may be a network of its own."""
    for where, url, _ in _optillm(doc):
        host = (address_of(url) or ("", 0))[0] if url and not is_unset(url) else ""
        if host and host != LOOPBACK and _is_ip(host):
            yield (
                f"{where}.api_base",
                (
                    f"OptiLLM listens at {host}: bind it to 127.0.0.1 beside the gateway, or let only "
                    "the gateway "
                    "reach that port"
                ),
            )


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# --- versions --------------------------------------------------------------------------------------


@check("litellm-untested", "warning", "A LiteLLM that this package's tests have not run against.")
def untested(doc: Document) -> Iterator[Found]:
    """`litellm-homelab selftest` tries what this package relies on."""
    if doc.version and doc.version not in TESTED_LITELLM:
        yield (
            "",
            (
                f"LiteLLM {doc.version} is not a tested version (tested: {', '.join(TESTED_LITELLM)}); run "
                "`litellm-homelab selftest`"
            ),
        )
