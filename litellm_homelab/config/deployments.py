"""Reads `model_list`: its deployments as LiteLLM resolves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from litellm_homelab.config.references import ENV_PREFIX, is_unset, resolve
from litellm_homelab.config.wording import plain


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of `model_list`, environment references resolved where the variable is set."""

    group: str
    model: str
    api_base: str = ""
    mode: str = "chat"
    mode_is_set: bool = field(default=False, compare=False)
    """Whether `model_info.mode` says so."""
    custom_provider: str = field(default="", compare=False)
    """`custom_llm_provider`, where it is set."""
    where: str = field(default="model_list", compare=False)
    """Where it is in the file: `model_list[0]`."""
    wildcard: str = field(default="", compare=False)
    """The wildcard group that this is a concrete name of (`wildcards.below`)."""
    params: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """`litellm_params` with those of its credential (`litellm_credential_name`) below them, resolved."""

    @property
    def provider(self) -> str:
        """LiteLLM's provider: the one that is set, else the model's prefix, empty where it has none."""
        return self.custom_provider or (self.model.split("/", 1)[0] if "/" in self.model else "")

    @property
    def upstream_model(self) -> str:
        """
        The name that the upstream sees: the model without LiteLLM's provider prefix.

        With `custom_llm_provider` the model has that one prefix or none: LiteLLM puts it in front where it is
        missing, and takes it off (`get_llm_provider`, 1.106.2).
        """
        return upstream_name(self.model, self.custom_provider)


def upstream_name(model: str, custom_provider: str = "") -> str:
    """What LiteLLM sends as the model of a deployment with this `model` and `custom_llm_provider`."""
    if custom_provider:
        return model.removeprefix(f"{custom_provider}/")
    return model.split("/", 1)[1] if "/" in model else model


def read(entries: object, credentials: object, environ: Mapping[str, str]) -> Iterator[Deployment]:
    """The deployments of `model_list`; `credentials` is the file's `credential_list`."""
    known = {
        plain(one.get("credential_name")): _dict(one.get("credential_values")) for one in _dicts(credentials)
    }
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        own, info = _dict(entry.get("litellm_params")), _dict(entry.get("model_info"))
        below = known.get(plain(own.get("litellm_credential_name")), {})
        params = {name: resolve(value, environ) for name, value in {**below, **own}.items()}
        yield Deployment(
            group=plain(resolve(entry.get("model_name", ""), environ)),
            model=plain(params.get("model") or ""),
            api_base=plain(params.get("api_base") or params.get("base_url") or ""),
            mode=plain(info.get("mode") or "chat"),
            mode_is_set=bool(info.get("mode")),
            custom_provider=plain(params.get("custom_llm_provider") or ""),
            where=f"model_list[{number}]",
            params=MappingProxyType(params),
        )


def unset(deployments: tuple[Deployment, ...]) -> Iterator[tuple[str, str]]:
    """(where it is, variable) of each reference in a deployment's parameters that is not set."""
    for deployment in deployments:
        for name, value in deployment.params.items():
            if is_unset(value):
                yield f"{deployment.where}.litellm_params.{plain(name)}", value.removeprefix(ENV_PREFIX)


def approach_settings(deployments: tuple[Deployment, ...]) -> Iterator[tuple[str, str]]:
    """(group, setting) of each parameter that would choose or drop OptiLLM's approach."""
    for deployment in deployments:
        params = deployment.params
        if "optillm_approach" in params:
            yield deployment.group, "optillm_approach"
        if "optillm_approach" in _dict(params.get("extra_body")):
            yield deployment.group, "extra_body.optillm_approach"
        dropped = params.get("additional_drop_params")
        if "optillm_approach" in (dropped if isinstance(dropped, list) else [dropped]):
            yield deployment.group, "additional_drop_params"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
