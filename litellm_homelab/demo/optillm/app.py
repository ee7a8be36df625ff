"""The OptiLLM stand-in's HTTP side: ``/v1/chat/completions``, ``/v1/models``, ``/health``, nothing else."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from litellm_homelab.demo.config import OptillmConfig
from litellm_homelab.demo.optillm import searches, techniques
from litellm_homelab.demo.optillm.approach import KNOWN, plan
from litellm_homelab.demo.optillm.shapes import passed_on, streamed, whole
from litellm_homelab.demo.optillm.techniques import Technique
from litellm_homelab.demo.optillm.throttle import DemoLimitError
from litellm_homelab.demo.optillm.upstream import OptillmError, Run, UpstreamClient, together

_IMITATED: Final[Mapping[str, Technique]] = MappingProxyType(
    {
        "re2": techniques.re2,
        "cot_reflection": techniques.cot_reflection,
        "moa": techniques.moa,
        "bon": techniques.bon,
        "self_consistency": techniques.self_consistency,
        "majority_voting": techniques.majority_voting,
        "genselect": techniques.genselect,
        "plansearch": searches.plansearch,
        "leap": searches.leap,
        "rto": searches.rto,
        "mcts": searches.mcts,
        "pvg": searches.pvg,
        "rstar": searches.rstar,
        "spl": searches.spl,
        "mars": searches.mars,
        "readurls": searches.no_calls,
        "web_search": searches.no_calls,
        "longcepo": searches.longcepo,
    }
)
Json = dict[str, Any]


class Optillm:
    """The stand-in.

    Like OptiLLM 0.4.0 it turns every upstream error into a 500 ``{"error": text}`` (or, by approach, a 200
    with the error as its text), forwards no header of the caller, never streams upstream, and goes on after
    its caller has left.
    """

    def __init__(self, config: OptillmConfig) -> None:
        self._config = config
        self._upstream = UpstreamClient(config)

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ]
        )

    async def close(self) -> None:
        """Close the connections upstream."""
        await self._upstream.close()

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _models(self, request: Request) -> Response:
        if refusal := self._gate(request):
            return refusal
        try:
            return JSONResponse({"object": "list", "data": await self._upstream.models()})
        except Exception as error:  # noqa: BLE001 - as OptiLLM does
            return _error(500, f"Error fetching models: {error}")

    async def _chat(self, request: Request) -> Response:
        if refusal := self._gate(request):
            return refusal
        try:
            body = json.loads(await request.body())
        except ValueError:
            return _error(400, "The body is not JSON")
        try:
            return await self._answer(body, _bearer(request))
        except DemoLimitError as error:
            return _error(503, str(error), {"x-should-retry": "false"})
        except Exception as error:  # noqa: BLE001 - OptiLLM answers every failure with its text
            return _error(500, _as_synchronous(str(error)))

    def _gate(self, request: Request) -> Response | None:
        gate = self._config.gate_key
        if not gate:
            return None
        if not request.headers.get("authorization", "").startswith("Bearer "):
            expected = "Expected format: 'Authorization: Bearer YOUR_API_KEY'"
            return _error(401, f"Invalid Authorization header. {expected}")
        if not secrets.compare_digest(_bearer(request).encode(), gate.encode()):
            return _error(401, "Invalid API key")
        return None

    async def _answer(self, body: Json, bearer: str) -> Response:
        asked = plan(body, self._config.approach)
        run = Run(self._upstream.client(bearer), self._upstream.throttle, asked, self._config.calls_per_run)
        if asked.operation == "SINGLE" and asked.approaches[0] in _PASSING:
            return passed_on(body, await _PASSING[asked.approaches[0]](run))
        texts = await _texts(run)
        return streamed(asked, texts) if body.get("stream") else whole(asked, texts, run.tokens)


def _bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme == "Bearer" else ""


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, dict(headers or {}))


def _as_synchronous(text: str) -> str:
    return text.replace("AsyncCompletions.", "Completions.")


async def _none(run: Run) -> Json:
    fields = {name: value for name, value in run.fields.items() if name != "stream"}
    return (await run.create(run.plan.messages, **fields)).model_dump()


async def _proxy(run: Run) -> Json:
    try:
        return await _none(run)
    except Exception:  # noqa: BLE001 - without providers OptiLLM's proxy tries the same client once more
        return await _none(run)


_PASSING: Final = {"none": _none, "proxy": _proxy}


async def _texts(run: Run) -> list[str]:
    asked = run.plan
    if asked.operation != "SINGLE" and "none" in asked.approaches:
        raise OptillmError("'none' approach cannot be combined with other approaches")
    rounds = range(asked.n)
    run.refuse_more_than(len(rounds) * len(asked.approaches))
    texts: list[str] = []
    for _ in rounds:
        texts += await _once(run)
    return texts


async def _once(run: Run) -> list[str]:
    asked = run.plan
    if asked.operation == "OR":
        parallel = await together(_listed(run, name, asked.query) for name in asked.approaches)
        return [text for texts in parallel for text in texts]
    texts, query = [asked.query], asked.query
    for name in asked.approaches[:1] if asked.operation == "SINGLE" else asked.approaches:
        texts = await _listed(run, name, query)
        query = "\n".join(texts)
    return texts


async def _listed(run: Run, name: str, query: str) -> list[str]:
    if name not in KNOWN:
        raise OptillmError(f"Unknown approach: {name}")
    result = await _IMITATED.get(name, techniques.once)(run, query)
    texts = result if isinstance(result, list) else [result]
    return [text if _is_failure(text) else f"[demo optillm {name}] {text}" for text in texts]


def _is_failure(text: str) -> bool:
    return text.startswith(("Error", "MARS system encountered an error"))
