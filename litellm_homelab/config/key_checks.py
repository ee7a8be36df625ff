"""Whose key a deployment would send: LiteLLM takes one from the environment where router.yaml gives none."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from litellm_homelab.config.findings import Caution
from litellm_homelab.config.key_variables import OWN, hosts_of, variables
from litellm_homelab.config.references import is_unset, late_values, resolve, unset_problem
from litellm_homelab.config.wording import quoted
from litellm_homelab.optillm.addresses import LOOPBACK, address_of

if TYPE_CHECKING:
    from litellm_homelab.config.deployments import Deployment
    from litellm_homelab.config.router_file import RouterFile

LOCAL_NAMES: Final = re.compile(
    r"[^.:]+|.*\.(?:local|lan|home|internal|intranet|localdomain|localhost|home\.arpa|ts\.net)"
)
"""Hosts of a home: a name without a dot, or below one of the suffixes that no public name has."""
TAILNET: Final = ipaddress.ip_network("100.64.0.0/10")
CREDENTIALS: Final = re.compile(r"(?:^|_)(?:key|token|secret|credentials|password|key_id)$")
"""Parameters that are keys."""


def problems(router: RouterFile, environ: Mapping[str, str]) -> Iterator[str]:
    """Keys that would be sent where they do not belong."""
    given = {**environ, **dict(late_values(router.document.get("environment_variables"), environ))}
    for deployment in router.deployments:
        if not deployment.api_base or is_unset(deployment.api_base) or _has_a_key(deployment, router):
            continue
        if is_unset(deployment.params.get("api_key")) and not is_cloud(deployment):
            continue  # reported as unset
        source = next(_sources(deployment, router, given), None)
        if source is not None and not _belongs(source, deployment.api_base):
            yield (
                f"{deployment.where}.litellm_params.api_key: missing, so that LiteLLM would send {source} to "
                f"{quoted(deployment.api_base)}; add `api_key: none`, or that server's own key"
            )


def unset_findings(router: RouterFile) -> Iterator[str]:
    """Unset variables: a key that a cloud asks for is a caution, anything else a problem."""
    by_place = {deployment.where: deployment for deployment in router.deployments}
    for where, variable in router.unset:
        place, _, name = where.partition(".litellm_params.")
        text = unset_problem(where, variable, router.late)
        if CREDENTIALS.search(name) and is_cloud(by_place[place]):
            yield Caution(f"{text}; requests for {quoted(by_place[place].group)} will fail until it is")
        else:
            yield text


def is_cloud(deployment: Deployment) -> bool:
    """Whether a deployment is another party's server: it has no address, or a public one."""
    if deployment.api_base:
        return not is_unset(deployment.api_base) and not is_local(deployment.api_base)
    return deployment.provider not in OWN


def is_local(url: str) -> bool:
    """Whether an address is of this machine or of a home: loopback, private, tailnet, a local name."""
    address = address_of(url)
    host = address[0] if address else ""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host == LOOPBACK or LOCAL_NAMES.fullmatch(host) is not None
    return ip.is_private or ip.is_link_local or ip in TAILNET


def _has_a_key(deployment: Deployment, router: RouterFile) -> bool:
    """Whether its parameters have a key; an unset one is none (LiteLLM goes on to the environment)."""
    credential = deployment.params.get("litellm_credential_name")
    listed = router.document.get("credential_list")
    entries = listed if isinstance(listed, list) else []
    if credential and credential not in [
        one.get("credential_name") for one in entries if isinstance(one, dict)
    ]:
        return True  # of LiteLLM's database
    keys = (value for name, value in deployment.params.items() if CREDENTIALS.search(str(name)))
    return any(value and not is_unset(value) for value in keys)


def _sources(deployment: Deployment, router: RouterFile, environ: Mapping[str, str]) -> Iterator[str]:
    """What LiteLLM would take the key from, in its order: its own settings, then variables that are set."""
    provider = deployment.provider or "openai"
    litellm = router.sections.get("litellm_settings", {})
    for name in ("api_key", f"{provider}_key", "openai_key"):
        value = resolve(litellm.get(name), environ)
        if value and not is_unset(value):
            yield f"litellm_settings.{name}"
    yield from (name for name in variables(provider, deployment.mode) if environ.get(name))


def _belongs(source: str, url: str) -> bool:
    """Whether a key may go to an address: its own cloud's, or a public one of a cloud that we do not know."""
    if is_local(url):
        return False
    address = address_of(url)
    host = address[0] if address else ""
    hosts = hosts_of(source)
    return hosts is None or any(host == own or host.endswith(f".{own}") for own in hosts)
