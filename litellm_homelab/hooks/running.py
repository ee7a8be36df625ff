"""The running LiteLLM: the settings it was started with, its router, its version."""

from __future__ import annotations

import functools
import logging
from importlib.metadata import version
from typing import Any

from litellm.types.router import AllowedFailsPolicy, RetryPolicy

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.settings import Known, Settings, SettingsError, load
from litellm_homelab.showroom.rule import Showroom

log = logging.getLogger("LiteLLM Proxy.homelab")


def known() -> Known:
    """What the installed LiteLLM understands in router.yaml."""
    return Known(
        retry_policy=frozenset(RetryPolicy.model_fields),
        allowed_fails_policy=frozenset(AllowedFailsPolicy.model_fields),
    )


@functools.cache
def settings() -> Settings:
    """
    The checked settings of the router.yaml that this process serves.

    Raises:
        SettingsError: the settings are wrong, or LiteLLM has no configuration file.

    """
    from litellm.proxy import proxy_server

    path = proxy_server.user_config_file_path
    if not path:
        raise SettingsError(
            ["litellm_homelab.hooks: loaded without a router.yaml; start `litellm --config FILE`"]
        )
    warn_if_untested()
    return load(path, known=known())


def router() -> Any:  # noqa: ANN401 - LiteLLM's Router is untyped here
    """LiteLLM's router; asked for at call time since LiteLLM rebinds it (measured on 1.106.2)."""
    from litellm.proxy import proxy_server

    return proxy_server.llm_router


def warn_if_untested() -> None:
    """Say loudly that the installed LiteLLM is not one that the tests ran against."""
    installed = version("litellm")
    if installed not in TESTED_LITELLM:
        log.warning(
            "homelab: LiteLLM %s is not a tested version (tested: %s); run our tests against it first",
            installed,
            ", ".join(TESTED_LITELLM),
        )


@functools.cache
def entry_point(name: str) -> object:
    """The instance that router.yaml names, made once per process."""
    from litellm.proxy.proxy_server import app

    from litellm_homelab.hooks import edge
    from litellm_homelab.hooks.showroom_callback import ShowroomCallback

    rule = Showroom.from_settings(settings())
    edge.wrap(app)
    return {"showroom": lambda: ShowroomCallback(rule, router)}[name]()


def forget() -> None:
    """Forget the settings and instances, so that the next load reads them anew; for tests."""
    settings.cache_clear()
    entry_point.cache_clear()
