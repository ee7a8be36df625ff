"""The control port: what runs, switches of faults and limits, and what every backend received."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from litellm_homelab.demo import limits
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
                     seconds: delay of slow, retry-after of 429; times: only the next that many requests
Limit a free tier:   curl -X PUT {control}/backends/cloud/limit \\
                       -d '{{"like": "groq", "requests": 3, "per": "day"}}'
Lift it:             curl -X DELETE {control}/backends/cloud/limit
Limits:              {limits}
What runs:           curl {control}/backends
What was received:   curl {control}/requests            (?backend=mlx for one backend)
Forget it:           curl -X DELETE {control}/requests
"""


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
                Route("/backends/{name}/limit", self._set_limit, methods=["PUT"]),
                Route("/backends/{name}/limit", self._clear_limit, methods=["DELETE"]),
                Route("/requests", self._requests, methods=["GET"]),
                Route("/requests", self._clear_requests, methods=["DELETE"]),
            ]
        )

    async def _page(self, _: Request) -> Response:
        lines = "\n".join(f"  {line}" for line in self._demo.lines())
        return PlainTextResponse(
            _PAGE.format(backends=lines, control=self._demo.url("control"), valid=VALID, limits=limits.VALID)
        )

    async def _backends(self, _: Request) -> Response:
        return JSONResponse(self._demo.as_dict())

    async def _set_fault(self, request: Request) -> Response:
        try:
            fault = Fault.parse(json.loads(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return await self._switch(request, fault)

    async def _clear_fault(self, request: Request) -> Response:
        return await self._switch(request, None)

    async def _switch(self, request: Request, fault: Fault | None) -> Response:
        try:
            await self._demo.switch(request.path_params["name"], fault)
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)
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
            return JSONResponse([item.as_dict() for item in self._demo.requests(backend)])
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)

    async def _clear_requests(self, _: Request) -> Response:
        self._demo.clear_requests()
        return Response(status_code=204)
