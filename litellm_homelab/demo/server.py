"""All demo backends in one process and one event loop, with one recorder."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp

from litellm_homelab.demo import searxng
from litellm_homelab.demo.backend import Backend
from litellm_homelab.demo.config import BACKENDS, CHAT_BACKENDS, CONTROL, DemoConfig
from litellm_homelab.demo.control import Control
from litellm_homelab.demo.faults import DEFAULT_WAKE_SECONDS, UNREACHABLE, Fault, FaultSwitch
from litellm_homelab.demo.guard import Guard
from litellm_homelab.demo.limits import LimitSwitch, TierLimit
from litellm_homelab.demo.listener import HOST, Listener
from litellm_homelab.demo.optillm.app import Optillm
from litellm_homelab.demo.recorder import RecordedRequest, Recorder


class Demo:
    """The running backends: ``async with Demo(DemoConfig()) as demo``; leaving the block ends them all.

    A method given an unknown name raises a KeyError that lists the known ones.
    """

    def __init__(self, config: DemoConfig | None = None) -> None:
        self.config = config or DemoConfig()
        self._recorder = Recorder()
        self._switches = {name: FaultSwitch() for name in BACKENDS}
        self._limits = {name: LimitSwitch(self.config.clock) for name in BACKENDS}
        self._optillm = Optillm(self.config.optillm)
        self._listeners: dict[str, Listener] = {}
        self._chat_backends: dict[str, Backend] = {}
        self._wakes = dict.fromkeys(BACKENDS, 0)
        self._waking: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        try:
            for name in (CONTROL, *BACKENDS):
                self._listeners[name] = Listener(self._app(name), self.config.port(name))
            for listener in self._listeners.values():
                await listener.up()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        for task in self._waking.values():
            task.cancel()
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        await self._optillm.close()

    def _app(self, name: str) -> ASGIApp:
        if name == CONTROL:
            return Control(self).app()
        if name in CHAT_BACKENDS:
            config = self.config
            backend = Backend(name, config.served(name), config.pace, config.cloud_key)
            self._chat_backends[name], app = backend, backend.app()
        else:
            app = self._optillm.app() if name == "optillm" else searxng.app()
        return Guard(app, name, self._recorder, self._switches[name], self._limits[name])

    def port(self, name: str) -> int:
        """The port that a backend, or ``control``, really has."""
        if name not in self._listeners:
            raise KeyError(f"no demo backend {name!r} (running: {', '.join(self._listeners) or 'none yet'})")
        return self._listeners[name].port

    def url(self, name: str) -> str:
        """The root address, such as ``http://127.0.0.1:4101``."""
        return f"http://{HOST}:{self.port(name)}"

    def api_base(self, name: str) -> str:
        """The address that an OpenAI client or LiteLLM's ``api_base`` wants: the root with ``/v1``."""
        return f"{self.url(name)}/v1"

    def requests(self, name: str | None = None, *, probes: bool = False) -> list[RecordedRequest]:
        """
        What a backend, or all of them, received since the last ``clear_requests``, oldest first.

        Probes of a gateway (``homelab.backends``) are left out unless asked for.
        """
        if name is not None:
            self._switch(name)
        return self._recorder.requests(name, probes=probes)

    def clear_requests(self) -> None:
        """Forget what was received."""
        self._recorder.clear()

    async def fault(
        self, name: str, kind: str, *, seconds: float | None = None, times: int | None = None
    ) -> None:
        """Switch a fault on; see ``Fault`` for the kinds."""
        await self.switch(name, Fault(kind, seconds, times))

    async def clear_fault(self, name: str | None = None) -> None:
        """Switch the fault of one backend off, or of all."""
        for each in [name] if name else list(self._switches):
            await self.switch(each, None)

    async def switch(self, name: str, fault: Fault | None) -> None:
        """
        Switch to a fault or off; returns once a backend that goes down or comes back has done so.

        Raises:
            ValueError: the backend has no models that could be swapped.

        """
        kind = fault.kind if fault else ""
        switch, listener = self._switch(name), self._listeners[name]
        if kind == "swapped" and name not in self._chat_backends:
            raise ValueError(f"fault: {name} has no model to swap (valid for: {', '.join(CHAT_BACKENDS)})")
        switch.current = fault
        if name in self._chat_backends:
            self._chat_backends[name].is_swapped = kind == "swapped"
        if kind == "black-hole":
            await listener.vanish()
        elif kind in UNREACHABLE:
            await listener.down()
        else:
            await listener.up()

    def wake(self, name: str) -> None:
        """Wake a backend that is asleep: it is there after the fault's seconds; others count it only."""
        fault = self._switch(name).current
        self._wakes[name] += 1
        known = self._waking.get(name)
        if fault is not None and fault.kind == "asleep" and (known is None or known.done()):
            self._waking[name] = asyncio.create_task(self._awake(name, fault))

    async def _awake(self, name: str, fault: Fault) -> None:
        await asyncio.sleep(DEFAULT_WAKE_SECONDS if fault.seconds is None else fault.seconds)
        if self._switch(name).current is fault:
            await self.switch(name, None)

    def wakes(self, name: str) -> int:
        """How often a backend was woken."""
        self._switch(name)
        return self._wakes[name]

    def limit(self, name: str, limit: TierLimit | None) -> None:
        """Switch a limit on, which counts from nothing, or off."""
        self._switch(name)
        self._limits[name].switch(limit)

    def _switch(self, name: str) -> FaultSwitch:
        if name not in self._switches:
            raise KeyError(f"no demo backend {name!r} (known: {', '.join(self._switches)})")
        return self._switches[name]

    def as_dict(self) -> dict[str, Any]:
        """Every backend's address, models and fault, as ``GET /backends`` shows them."""
        return {
            name: {
                "url": self.url(name),
                "models": list(self._chat_backends[name].models) if name in CHAT_BACKENDS else [],
                "fault": fault.as_dict() if (fault := switch.current) else None,
                "wakes": self._wakes[name],
                "limit": limit.as_dict() if (limit := self._limits[name].current) else None,
            }
            for name, switch in self._switches.items()
        }

    def lines(self) -> list[str]:
        """One line for each backend: name, address, and what it serves."""
        about = {name: ", ".join(self.config.served(name)) for name in CHAT_BACKENDS}
        about["optillm"] = f"calls back to {self.config.optillm.upstream}"
        about["searxng"] = "/search?q=...&format=json"
        about[CONTROL] = "faults and what was received"
        return [f"{name:<8} {self.url(name)}  {about[name]}" for name in self._listeners]
