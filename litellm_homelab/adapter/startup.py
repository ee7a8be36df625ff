"""The running LiteLLM: the settings it was started with, its router, its version."""

from __future__ import annotations

import functools
import json
import logging
import os
import socket
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import litellm
from litellm.types.router import AllowedFailsPolicy, RetryPolicy

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.access.table import matches
from litellm_homelab.adapter import recording
from litellm_homelab.adapter.litellm_api import callback_list, installed, parameters, unreviewed
from litellm_homelab.config.loading import load
from litellm_homelab.config.settings import Known, Settings, SettingsError
from litellm_homelab.showroom import modes

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Parts

DEFAULT_PORT = 4000
VENDORS = frozenset({"openai", "anthropic", "cohere", "azure"})
"""Providers whose models are in LiteLLM's list without a prefix."""
OPENAI = "/openai/{endpoint:path}"
"""LiteLLM's route that sends what comes to OpenAI as it is."""

log = logging.getLogger("LiteLLM Proxy.homelab")


def known() -> Known:
    """What the installed LiteLLM understands in router.yaml."""
    return Known(
        retry_policy=frozenset(RetryPolicy.model_fields),
        allowed_fails_policy=frozenset(AllowedFailsPolicy.model_fields),
        params=parameters.names(),
        mode_of=mode_of,
        port=port(),
        version=version("litellm"),
        has_route=has_route,
        hostnames=(socket.gethostname(),),
    )


def has_route(path: str) -> bool:
    """Whether this LiteLLM has a route of a path, as it writes it."""
    from litellm.proxy.proxy_server import app

    return installed.has_path(app, path)


def mode_of(model: str, provider: str) -> str:
    """The mode of a model by LiteLLM's own list of models, else by its name."""
    name = model.partition("/")[2] if not provider and "/" in model else model
    prefix = provider or model.partition("/")[0]
    for known_name in (model, f"{prefix}/{name}", *([name] if prefix in VENDORS else [])):
        found = litellm.model_cost.get(known_name, {}).get("mode")
        if found in modes.MODES:
            return str(found)
    return modes.guessed(name)


@functools.cache
def settings() -> Settings:
    """
    The checked settings of the router.yaml that this process serves.

    Raises:
        SettingsError: the settings are wrong, or LiteLLM has no configuration file.

    """
    from litellm.proxy import proxy_server

    path = proxy_server.user_config_file_path or config_in_environ(os.environ)
    if not path:
        raise SettingsError(["litellm_homelab: loaded without a router.yaml; start `litellm --config FILE`"])
    warn_if_untested()
    found = load(path, known=known())
    for caution in found.warnings:
        log.warning("homelab: %s", caution)
    return found


def router() -> Any:  # noqa: ANN401 - LiteLLM's Router is untyped here
    """LiteLLM's router; asked for at call time since LiteLLM rebinds it (measured on 1.106.2)."""
    from litellm.proxy import proxy_server

    return proxy_server.llm_router


def warn_if_untested() -> None:
    """Say loudly that the installed LiteLLM is not one that the tests ran against."""
    installed_version = version("litellm")
    if installed_version not in TESTED_LITELLM:
        log.warning(
            "homelab: LiteLLM %s is not a tested version (tested: %s). Routes, fields, hooks and errors may "
            "differ; what this package does not know is closed, so it may refuse what worked before. "
            "To try what it relies on with this version, run: litellm-homelab selftest",
            installed_version,
            ", ".join(TESTED_LITELLM),
        )


@functools.cache
def _parts() -> Parts:
    """The rules and what they share, made once per process; wraps LiteLLM's app."""
    from litellm.proxy.proxy_server import app

    from litellm_homelab.adapter import wiring
    from litellm_homelab.adapter.litellm_api import (
        bridge,
        cooldown,
        finalizers,
        lineage_cleanup,
        root_accounts,
        transport,
    )
    from litellm_homelab.adapter.middleware import (
        early_errors,
        other_paths,
        outer,
        route_access,
        token_counts,
        waiting_comments,
    )

    made = wiring.build(settings(), router, has_database, mode_of)
    limits = settings().homelab.limits
    decide = route_access.metrics_door(made.rule, made.keyring)
    border = outer.Border(
        settings().handles,
        limits.body_mb * 2**20,
        made.opening.unmarked,
        decide,
        made.ending,
        limits.parts,
        made.scrub,
        early_errors.EarlyErrors(made.fields, made.keyring),
        made.showroom.below,
        made.showroom.is_below,
        other_paths.rewriting(matches(OPENAI, settings().homelab.gate.open)),
        unreviewed.closed_headers(settings().homelab.fields),
        waiting_comments.seconds(settings().homelab.backends.values()),
    )
    outer.wrap(app, border, made.page)
    own = dict.fromkeys(token_counts.PATHS, made.counting)
    loaded = functools.partial(callback_list.has_once, litellm, made.plugin)
    others = functools.partial(has_other_keys, made.gate)
    route_access.hang(app, made.rule, made.keyring, made.fields.screen, own, loaded, others)
    lineage_cleanup.watch_logs()
    cooldown.install()
    bridge.install()
    finalizers.install()
    root_accounts.watch(made.is_root)
    transport.watch(made.last_line)
    transport.notice_unreachable(made.presence.unreachable if made.presence is not None else None)
    unreviewed.report(app)
    return made


def config_in_environ(environ: Mapping[str, str]) -> str | None:
    """
    The configuration file that LiteLLM is about to read: startup hooks run before it is read.

    `CONFIG_FILE_PATH` counts before `WORKER_CONFIG`, which is a path or the command line's options as JSON
    (`proxy_startup_event`, 1.106.2).
    """
    path = environ.get("CONFIG_FILE_PATH")
    worker = environ.get("WORKER_CONFIG", "")
    if path is None and worker.startswith("{"):
        path = json.loads(worker).get("config")
    elif path is None:
        path = worker
    return path or None


def install() -> None:
    """Load the plugin and the gate, each once, whatever router.yaml lists."""
    import litellm
    from litellm.proxy import proxy_server

    proxy_server.user_custom_auth = entry_point("gate")
    callback_list.add(litellm, entry_point("plugin"))


def entry_point(name: str) -> Any:  # noqa: ANN401 - a callback instance, or the gate's function
    """The instance that router.yaml names, made once per process."""
    return getattr(_parts(), name)


def has_database() -> bool:
    """Whether this LiteLLM keeps keys of its own."""
    from litellm.proxy import proxy_server

    return proxy_server.prisma_client is not None


def has_other_keys(gate: object) -> bool:
    """Whether other keys than ours count: LiteLLM's own, or those of another `custom_auth` than our gate."""
    from litellm.proxy import proxy_server

    return has_database() or proxy_server.user_custom_auth is not gate


def port() -> int:
    """The port that this LiteLLM was started on: `--port`, else `PORT`, else LiteLLM's default."""
    arguments = sys.argv[1:]
    for number, argument in enumerate(arguments):
        value = argument.partition("=")[2] if argument.startswith("--port=") else ""
        if argument == "--port" and number + 1 < len(arguments):
            value = arguments[number + 1]
        if value.isdigit():
            return int(value)
    found = os.environ.get("PORT", "")
    return int(found) if found.isdigit() else DEFAULT_PORT


def forget() -> None:
    """Forget the settings and instances, so that the next load reads them again; for tests."""
    from litellm_homelab.adapter.litellm_api import root_accounts, transport

    settings.cache_clear()
    if _parts.cache_info().currsize and (presence := _parts().presence) is not None:
        presence.presence.stop()
    if _parts.cache_info().currsize and (sharing := _parts().sharing) is not None:
        sharing.stop()
    _parts.cache_clear()
    root_accounts.watch(None)
    transport.watch(None)
    transport.notice_unreachable(None)
    transport.send_with(None)
    recording.forget()
