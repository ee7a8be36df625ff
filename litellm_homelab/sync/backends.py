"""A registry that is drafted from what the servers of a router.yaml list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from litellm_homelab.backends.kinds import VERSION
from litellm_homelab.config import text_file, yaml_text
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.router_file import Deployment, RouterFile
from litellm_homelab.config.wording import quoted, shown
from litellm_homelab.showroom.registry import VERSION as REGISTRY_VERSION
from litellm_homelab.sync import reading
from litellm_homelab.sync.reading import NothingToSync
from litellm_homelab.sync.servers import is_at, server

SECONDS: Final = 5.0
"""How long a server may take for one answer."""
CONTEXT: Final = ("max_model_len", "max_context_length", "context_length", "context_window", "n_ctx_train")
"""How much a model reads: in the lists of vLLM, LM Studio, OpenRouter, Groq, llama.cpp (below `meta`)."""
NOT_ASKED: Final = ("cloud", "optillm")
"""Kinds of `homelab.backends`: a cloud costs money, and an OptiLLM would ask this gateway."""
OUTPUT: Final = ("max_output_tokens", "max_completion_tokens")


def drafted(
    path: Path, environ: Mapping[str, str], client: httpx.Client | None = None
) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """
    A registry, notes, and what went wrong; servers of this machine, of the home and of a tailnet are asked.

    OptiLLM is left out, since it would ask this gateway, and so is what `homelab.backends` calls a cloud.

    Raises:
        OSError, ValueError: router.yaml cannot be read.

    """
    document = yaml_text.load(text_file.read(path))
    if not isinstance(document, dict):
        raise NothingToSync(f"expected a mapping at the top, got {shown(document)}")
    router, homelab, _ = reading.read(path, document, environ)
    models: dict[str, dict[str, Any]] = {}
    notes, failed = [], []
    with client or httpx.Client(timeout=SECONDS, trust_env=False) as asked:
        for one in _servers(router, homelab):
            base = one.api_base.rstrip("/")
            try:
                rows = list(_rows(asked, base, one))
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
                failed.append(f"{base}: {_advice(error, one)}")
                continue
            notes.append(f"{base}: {len(rows)} models")
            for row in rows:
                if row["model_id"] in models:
                    notes.append(f"{quoted(row['model_id'])} is at {base} too; the first server counts")
                models.setdefault(row["model_id"], row)
    notes.append("an entry needs source_path or cache_path before homelab.showroom.registry names this file")
    return {"version": REGISTRY_VERSION, "models": models}, tuple(notes), tuple(failed)


def _servers(router: RouterFile, homelab: Mapping[str, Any]) -> list[Deployment]:
    """The servers to ask, each once however its address is written: a deployment there."""
    lanes = homelab.get("optillm") or {}
    backends = homelab.get("backends") or {}
    optillm = {server(one.api_base) for one in router.deployments if one.group in lanes}
    others = [one.get("at") or () for one in backends.values() if one and one.get("kind") in NOT_ASKED]
    left_out = [at for listed in others for at in listed]
    found: dict[object, Deployment] = {}
    for each in router.deployments:
        base = each.api_base
        if not base or is_unset(base) or not is_local(base) or is_at(base, left_out):
            continue
        if server(base) not in optillm:
            found.setdefault(server(base), each)
    return list(found.values())


def _advice(error: Exception, one: Deployment) -> str:
    """What went wrong with a server, and what to do about it."""
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return f"it answers {status}: set the api_key of {quoted(one.group)} to one that it takes"
        return f"it answers {status} to GET /v1/models: check the api_base of {quoted(one.group)}"
    if isinstance(error, httpx.TransportError):
        return f"{type(error).__name__}: start it and run this again"
    return f"its answer is not a list of models: check the api_base of {quoted(one.group)}"


def _rows(client: httpx.Client, base: str, one: Deployment) -> Iterator[dict[str, Any]]:
    root = base.removesuffix(VERSION)
    key = one.params.get("api_key")
    headers = {"authorization": f"Bearer {key}"} if isinstance(key, str) and not is_unset(key) else {}
    listed = {
        str(row["id"]): {**row, **_dict(row.get("meta"))} for row in _data(client, root + VERSION, headers)
    }
    if not any(name in facts for facts in listed.values() for name in CONTEXT):
        more = {str(row["id"]): row for row in _data(client, f"{root}/api/v0", headers, needed=False)}
        listed = {name: {**facts, **more.get(name, {})} for name, facts in listed.items()}
        if not more:
            listed = {
                name: {**facts, **_shown(client, root, headers, name)} for name, facts in listed.items()
            }
    for name, facts in listed.items():
        yield _entry(name, facts, base)


def _data(
    client: httpx.Client, root: str, headers: dict[str, str], *, needed: bool = True
) -> list[dict[str, Any]]:
    """The rows of `/v1/models`, and of LM Studio's `/api/v0/models`, which has lengths."""
    answer = client.get(f"{root}/models", headers=headers)
    if needed:
        answer.raise_for_status()
    rows = _dict(answer.json()).get("data") if answer.is_success else None
    found = rows if isinstance(rows, list) else []
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _shown(client: httpx.Client, root: str, headers: dict[str, str], name: str) -> dict[str, Any]:
    """What Ollama's `/api/show` says, without loading the model: `<architecture>.context_length`."""
    answer = client.post(f"{root}/api/show", json={"model": name}, headers=headers)
    info = _dict(_dict(answer.json() if answer.is_success else None).get("model_info"))
    return {key.rpartition(".")[2]: value for key, value in info.items() if key.endswith(".context_length")}


def _entry(name: str, facts: Mapping[str, Any], base: str) -> dict[str, Any]:
    found: dict[str, Any] = {"model_id": name, "api_base": base}
    for field, names in (("context_length", CONTEXT), ("max_output_tokens", OUTPUT)):
        value = next((facts[one] for one in names if type(facts.get(one)) is int and facts[one] > 0), None)
        if value is not None:
            found[field] = value
    root = facts.get("root")
    if isinstance(root, str) and root.startswith("/"):  # vLLM says where the files are
        found["source_path"] = root
    return found


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
