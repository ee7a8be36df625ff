"""A gateway with a handle for each thing that a fault may hit, and what became of a request to each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.adapter.lane import CALLERS, document, group
from tests.real.gateway import process_on
from tests.real.lane.rig import DEMO, GATE_KEY, MASTER_KEY, Rig, bearer, rig

HANDLES: Final = ("main", "box", "free", "boost")
"""A plain one, one with slots, one with a quota, one that is OptiLLM."""
OK, REFUSED, USED_UP = "200", "503 policy_error", "429 quota_exceeded"
SERVED: Final = dict.fromkeys(HANDLES, OK)
CLOSED: Final = {"main": OK, "box": OK, "free": REFUSED, "boost": REFUSED}
"""Without the store: what must count is refused, what does not need to count is served."""
PER_DAY: Final = 2
CLOCK: Final = "tests.faults.inside.instance"
"""The callback that lets a test step the gateway's clock."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """A running gateway, its backends and its log."""

    rig: Rig
    port: int

    @property
    def pid(self) -> int:
        """The gateway's process."""
        return process_on(self.port).pid

    def ask(self, *handles: str) -> dict[str, str]:
        """Ask each handle once, at the same time: status and error type. Forgets what was seen before."""
        self.rig.clear()
        return asyncio.run(_ask(self.rig.url, handles or HANDLES))

    def sent(self) -> dict[str, int]:
        """How many requests reached the backend of each handle since the last `ask`."""
        found = {name: len(self.rig.backend_calls(name)) for name in ("main", "box", "free", "daily", "base")}
        return {**found, "boost": len(self.rig.optillm_calls)}

    def said(self) -> str:
        """Its log so far."""
        return self.rig.log.read_text(encoding="utf-8", errors="replace")


async def _ask(url: str, handles: tuple[str, ...]) -> dict[str, str]:
    async with httpx.AsyncClient(base_url=url, headers=bearer(MASTER_KEY), timeout=60) as client:

        async def one(handle: str) -> str:
            approach = {"optillm_approach": "moa"} if handle == "boost" else {}
            body = {"model": handle, "messages": [{"role": "user", "content": "hello"}], **approach}
            answer = await client.post("/v1/chat/completions", json=body)
            error = answer.json().get("error", {}).get("type", "")
            return f"{answer.status_code} {error}".strip()

        return dict(zip(handles, await asyncio.gather(*map(one, handles)), strict=True))


def config(state: str) -> dict[str, Any]:
    """Its router.yaml."""
    where = {name: f"os.environ/{name.upper()}_API_BASE" for name in ("main", "box", "free", "daily", "base")}
    models = [group(name, api_base=base) for name, base in where.items()]
    optillm = "os.environ/OPTILLM_API_BASE"
    models.append(group("boost", "lm_studio/base", api_base=optillm, api_key=GATE_KEY))
    found = document(
        models,
        {"boost": {"approaches": ["none", "moa"], "max_calls": 12}},
        callers=CALLERS,
        callbacks=("prometheus", CLOCK, "litellm_homelab.plugin"),
        state=state,
    )
    found["homelab"]["backends"] = {"box": {"at": [where["box"]], "slots": 1, "queue": {"length": 300}}}
    found["homelab"]["quotas"] = {
        "free": {"groups": ["free"], "windows": [{"requests": 1000, "per": "month"}]},
        "daily": {"groups": ["daily"], "windows": [{"requests": PER_DAY, "per": "day", "zone": "UTC"}]},
    }
    found["router_settings"]["num_retries"] = 0
    return found


@contextlib.contextmanager
def faulty(state: str, folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Faulty]:
    """Run it on a store; `folder` has the file of its clock."""
    clock = folder / "clock"
    if not clock.exists():
        clock.write_text("0", encoding="utf-8")
    variables = {"STEPPED_CLOCK": str(clock), **(environ or {})}
    with rig(config(state), optillm=DEMO, environ=variables) as running:
        port = int(running.url.rpartition(":")[2])
        yield Faulty(running, port)
