"""The control port: what runs, switches of faults and limits, and what every backend received."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from litellm_homelab.demo import limits, page
from litellm_homelab.demo.faults import VALID, Fault
from litellm_homelab.demo.limits import TierLimit

if TYPE_CHECKING:
    from litellm_homelab.demo.server import Demo

_PAGE = """\
litellm-homelab demo backends (embedded, no model runs)

{backends}

Switch a fault:      curl -X PUT {control}/backends/mlx/fault -d '{{"fault": "429", "times": 3}}'
Switch it off:       curl -X DELETE {control}/backends/mlx/fault
Faults:              {valid}
                     seconds: how long it takes, retry-after of 429; times: only the next that many requests
Wake one (asleep):   curl -X POST {control}/backends/mlx/wake
Limit a free tier:   curl -X PUT {control}/backends/cloud/limit \\
                       -d '{{"like": "groq", "requests": 3, "per": "day"}}'
Lift it:             curl -X DELETE {control}/backends/cloud/limit
Limits:              {limits}
What runs:           curl {control}/backends
What was received:   curl {control}/requests            (?backend=mlx: of one backend)
                     ?probes=true: a gateway's probes too
Forget it:           curl -X DELETE {control}/requests
"""
OK, SEE_OTHER = 200, 303


def _is_from_elsewhere(request: Request) -> bool:
    """Whether another site's page sends this: browsers say so for each POST, and let forms through."""
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _typed(form: Mapping[str, str]) -> dict[str, object]:
    """The form's fields as JSON would have them; a number that is none stays a text, and is refused."""
    found: dict[str, object] = {name: value for name, value in form.items() if value}
    for name in ("seconds", "times"):
        try:
            found |= {name: (float if name == "seconds" else int)(form[name])} if form.get(name) else {}
        except ValueError:
            continue
    return found


class Control:
    """The routes of the control port, over one running demo."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/backends", self._backends),
                Route("/backends/{name}/fault", self._set_fault, methods=["PUT"]),
                Route("/backends/{name}/fault", self._clear_fault, methods=["DELETE"]),
                Route("/backends/{name}/fault", self._posted_fault, methods=["POST"]),
                Route("/backends/{name}/wake", self._wake, methods=["POST"]),
                Route("/backends/{name}/limit", self._set_limit, methods=["PUT"]),
                Route("/backends/{name}/limit", self._clear_limit, methods=["DELETE"]),
                Route("/requests", self._requests, methods=["GET"]),
                Route("/requests", self._clear_requests, methods=["DELETE"]),
            ]
        )

    async def _page(self, request: Request) -> Response:
        """A page with forms for a browser, text for anything else."""
        lines = "\n".join(f"  {line}" for line in self._demo.lines())
        text = _PAGE.format(
            backends=lines, control=self._demo.url("control"), valid=VALID, limits=limits.VALID
        )
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(text)
        received = Counter(one.backend for one in self._demo.requests())
        return HTMLResponse(page.page(self._demo.as_dict(), received, text))

    async def _backends(self, _: Request) -> Response:
        return JSONResponse(self._demo.as_dict())

    async def _set_fault(self, request: Request) -> Response:
        try:
            fault = Fault.parse(json.loads(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return await self._switch(request, fault)

    async def _posted_fault(self, request: Request) -> Response:
        """What the page's form sends: the same as PUT, and DELETE where no fault is chosen."""
        if _is_from_elsewhere(request):
            return JSONResponse({"error": "this form is not the demo's own"}, 403)
        form = dict(parse_qsl((await request.body()).decode("latin-1")))
        try:
            fault = Fault.parse(_typed(form)) if form.get("fault") else None
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        answer = await self._switch(request, fault)
        return answer if answer.status_code != OK else RedirectResponse("../../", SEE_OTHER)

    async def _wake(self, request: Request) -> Response:
        """Wake a backend: what `wake.url` of a gateway calls, and the page's button."""
        if _is_from_elsewhere(request):
            return JSONResponse({"error": "this form is not the demo's own"}, 403)
        name = request.path_params["name"]
        try:
            self._demo.wake(name)
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("../../", SEE_OTHER)
        return JSONResponse(self._demo.as_dict()[name])

    async def _clear_fault(self, request: Request) -> Response:
        return await self._switch(request, None)

    async def _switch(self, request: Request, fault: Fault | None) -> Response:
        try:
            await self._demo.switch(request.path_params["name"], fault)
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        state: dict[str, Any] = self._demo.as_dict()[request.path_params["name"]]
        return JSONResponse(state)

    async def _set_limit(self, request: Request) -> Response:
        try:
            limit = TierLimit.parse(json.loads(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return self._limit(request, limit)

    async def _clear_limit(self, request: Request) -> Response:
        return self._limit(request, None)

    def _limit(self, request: Request, limit: TierLimit | None) -> Response:
        name = request.path_params["name"]
        try:
            self._demo.limit(name, limit)
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)
        return JSONResponse(self._demo.as_dict()[name])

    async def _requests(self, request: Request) -> Response:
        backend = request.query_params.get("backend")
        try:
            probes = request.query_params.get("probes") == "true"
            return JSONResponse([item.as_dict() for item in self._demo.requests(backend, probes=probes)])
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)

    async def _clear_requests(self, _: Request) -> Response:
        self._demo.clear_requests()
        return Response(status_code=204)
