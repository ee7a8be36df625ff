"""
What our quotas and stock LiteLLM's `rpd` do with the same load and the same provider, as a table.

    PYTHON -m tests.quotas.stock_table              # both sides on the LiteLLM of this interpreter
    PYTHON -m tests.quotas.stock_table SIDE         # one side's cases, as JSON
    PYTHON -m tests.quotas.stock_table SIDE FOLDER  # one worker of several, on the files in FOLDER

`make quota-table` does it for LiteLLM 1.110.2 and writes the table into docs/observed.md. The provider's
limit is ten requests a day; each cell says how many requests the provider received and what clients got.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from litellm_homelab.testing import MockProxy
from tests.adapter.lane import document, group, proxy_on
from tests.quotas import shapes
from tests.state.backends import free_port, redis_server
from tests.stepped import STEPPED, ahead_of_midnight, set_ahead

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "observed.md"
BEGIN, END = "<!-- stock -->\n", "<!-- end of stock -->\n"
MARK: Final = "cases:"
"""How the line with the JSON begins; LiteLLM writes lines of its own."""
STOCK, OURS = "stock", "ours"
SECONDS: Final = 1800
"""How long one side may take; each case starts LiteLLM once or twice."""
LIMIT: Final = 10
PACIFIC: Final = {"requests": LIMIT, "per": "day", "zone": "America/Los_Angeles"}


@dataclass
class Case:
    """One gateway of one side under way."""

    side: str
    folder: Path
    statuses: list[int] = field(default_factory=list)
    sent: int = 0

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Set the clock to a moment for the length of the block, and let it run on from there."""
        before = clock().read_text(encoding="utf-8")
        set_clock(moment)
        try:
            yield
        finally:
            set_ahead(clock(), float(before))

    async def gateway(self, ask: Callable[[MockProxy], Awaitable[None]], **changes: Any) -> None:
        """Run a gateway, ask it, and count what its provider received."""
        own = Path(tempfile.mkdtemp(dir=self.folder))  # workers share the folder of the state alone
        async with proxy_on(own, configured(self.side, self.folder, **changes)) as proxy:
            logging.disable(logging.CRITICAL)
            _use_one_clock()
            await ask(proxy)
            self.sent += sum(len(proxy.upstream(name).requests) for name in ("cloud", "other"))

    async def ask(self, proxy: MockProxy, number: int, model: str = "cloud") -> None:
        """So many requests, one after another."""
        for _ in range(number):
            self.statuses.append((await proxy.chat(model)).status)

    def cell(self) -> str:
        """What became of it, in words."""
        got = Counter(self.statuses)
        answers = ", ".join(f"{number} got {status}" for status, number in sorted(got.items()))
        return f"{self.sent} sent; {answers}"


def clock() -> Path:
    """The file that says how far the clock is ahead (tests/real/stepped)."""
    return Path(os.environ["STEPPED_CLOCK"])


def set_clock(moment: datetime) -> None:
    """Step the clock to a moment."""
    ahead = float(clock().read_text(encoding="utf-8"))
    set_ahead(clock(), ahead + moment.timestamp() - time.time())


def step(seconds: float) -> None:
    """Step the clock ahead."""
    set_clock(datetime.fromtimestamp(time.time() + seconds, UTC))


def _use_one_clock() -> None:
    """Let stock LiteLLM's check read the clock that is stepped; its own reads `datetime`."""
    import litellm

    for callback in litellm.callbacks:
        if type(callback).__name__ == "ModelRateLimitingCheck":
            callback.clock = lambda: datetime.fromtimestamp(time.time(), UTC)


def configured(
    side: str,
    folder: Path,
    *,
    window: dict[str, Any] | None = None,
    reset: str | None = None,
    redis: str | None = None,
    preset: str | None = None,
) -> dict[str, Any]:
    """The router.yaml of a side: two models of one account, whose limit is ten requests a day."""
    stock: dict[str, Any] = (
        {"rpd": LIMIT, **({"daily_reset_time": reset} if reset else {})} if side == STOCK else {}
    )
    models = [group(name, **stock) for name in ("cloud", "other")]
    found = document(models, {}, internal=(), state=redis or f"sqlite:///{folder / 'state.db'}")
    found["router_settings"] = {"num_retries": 0}
    if side == OURS:
        section = {"groups": ["cloud", "other"], "windows": [window or {"requests": LIMIT, "per": "day"}]}
        found["homelab"]["quotas"] = {"free": {**section, **({"preset": preset} if preset else {})}}
        return found
    del found["homelab"], found["litellm_settings"]["callbacks"], found["general_settings"]["custom_auth"]
    found["router_settings"]["optional_pre_call_checks"] = ["enforce_model_rate_limits"]
    if redis:
        found["router_settings"]["redis_url"] = redis
    return found


# --- the cases: what is asked, and how --------------------------------------------------------------


async def one_worker(case: Case) -> None:
    """15 requests to one worker."""
    await case.gateway(lambda proxy: case.ask(proxy, 15))


async def restart(case: Case) -> None:
    """8 requests, a restart, 8 requests."""
    for _ in range(2):
        await case.gateway(lambda proxy: case.ask(proxy, 8))


async def two_workers(case: Case) -> None:
    """8 requests to each of two workers without Redis."""
    loop = [asyncio.to_thread(worker, case.side, case.folder) for _ in range(2)]
    for sent, statuses in await asyncio.gather(*loop):
        case.sent += sent
        case.statuses += statuses


async def pool(case: Case) -> None:
    """8 requests to each of two models of one account."""

    async def ask(proxy: MockProxy) -> None:
        await case.ask(proxy, 8)
        await case.ask(proxy, 8, "other")

    await case.gateway(ask)


async def daylight_saving(case: Case) -> None:
    """Reset at midnight in California, 07:00 UTC until 1 November; on the 2nd 10 at 06:30 UTC, 5 at 07:30."""

    async def ask(proxy: MockProxy) -> None:
        await case.ask(proxy, 10)
        step(3600)
        await case.ask(proxy, 5)

    with case.at(datetime(2026, 11, 2, 6, 30, tzinfo=UTC)):
        await case.gateway(ask, window=PACIFIC, reset="07:00")


async def store_lost(case: Case) -> None:
    """10 requests with Redis, Redis is killed, 10 requests."""
    folder = case.folder / "redis"
    folder.mkdir()
    with ExitStack() as server:

        async def ask(proxy: MockProxy) -> None:
            await case.ask(proxy, 10)
            server.close()
            await case.ask(proxy, 10)

        await case.gateway(ask, redis=server.enter_context(redis_server(folder, free_port())))


async def store_lost_at_start(case: Case) -> None:
    """The same, and the worker is restarted once Redis is killed."""
    folder = case.folder / "redis"
    folder.mkdir()
    with redis_server(folder, free_port()) as redis:
        await case.gateway(lambda proxy: case.ask(proxy, 10), redis=redis)
    await case.gateway(lambda proxy: case.ask(proxy, 10), redis=redis)


async def headers(case: Case) -> None:
    """7 requests; from the second on, the provider's headers say that 1 of its 10 is left."""

    async def ask(proxy: MockProxy) -> None:
        first = await proxy.chat("cloud")
        case.statuses.append(first.status)
        left = {"x-ratelimit-limit-requests": str(LIMIT), "x-ratelimit-remaining-requests": "1"}
        proxy.upstream("cloud").says(first.response.content, headers=left)
        await case.ask(proxy, 6)

    await case.gateway(ask, preset="groq-free")


async def minute(case: Case) -> None:
    """The provider answers 429 for this minute; 4 requests more in it, and one after it."""

    async def ask(proxy: MockProxy) -> None:
        body = shapes.groq("requests per minute (RPM)", 30, 30, 1, "30s")
        proxy.upstream("cloud").says(body, status=429, headers={})
        await case.ask(proxy, 5)
        proxy.upstream("cloud").works()
        step(61)
        await case.ask(proxy, 1)

    await case.gateway(ask)


async def day(case: Case) -> None:
    """The provider answers 429 for this day, and to retry in 12 s; 4 requests after 20 s, 4 after an hour."""

    async def ask(proxy: MockProxy) -> None:
        body = shapes.gemini([shapes.violation("GenerateRequestsPerDayPerProjectPerModel", "10")])
        proxy.upstream("cloud").says(body, status=429, headers={})
        await case.ask(proxy, 1)
        for seconds in (20, 3600):
            step(seconds)
            await case.ask(proxy, 4)

    with case.at(datetime(2026, 11, 20, 20, 0, tzinfo=UTC)):
        await case.gateway(ask, window=PACIFIC, reset="08:00")


CASES: Final = (
    one_worker,
    two_workers,
    restart,
    pool,
    daylight_saving,
    store_lost,
    store_lost_at_start,
    headers,
    minute,
    day,
)


async def cells(side: str) -> list[str]:
    """One side's column."""
    found = []
    for run in CASES:
        with tempfile.TemporaryDirectory() as folder:
            case = Case(side, Path(folder))
            await run(case)
            found.append(case.cell())
    return found


async def _work(case: Case) -> None:
    await case.gateway(lambda proxy: case.ask(proxy, 8))


def worker(side: str, folder: Path) -> tuple[int, list[int]]:
    """One worker in a process of its own: what its provider received, and what its clients got."""
    sent, statuses = asked(side, str(folder))
    return sent, statuses


def asked(*arguments: str) -> Any:
    """What this module prints with these arguments."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clock"
        # From noon on: a day that ends while a case runs would give requests back.
        set_ahead(file, ahead_of_midnight(datetime.now(UTC)))
        paths = os.pathsep.join((str(STEPPED), str(REPOSITORY)))
        environ = {**os.environ, "STEPPED_CLOCK": str(file), "PYTHONPATH": paths}
        environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        command = [sys.executable, "-m", "tests.quotas.stock_table", *arguments]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    lines = [one for one in done.stdout.splitlines() if one.startswith(MARK)]
    if not lines:
        raise RuntimeError(done.stderr[-4000:])
    return json.loads(lines[0].removeprefix(MARK))


def table(columns: Mapping[str, Sequence[str]]) -> str:
    """The table: a row for each case, a column for each side."""
    head = ("what is asked", *columns)
    what = [str(run.__doc__).rstrip(".") for run in CASES]
    rows = [head, ["---"] * len(head), *zip(what, *columns.values(), strict=True)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    match arguments:
        case [side]:
            print(MARK + json.dumps(asyncio.run(cells(side))), flush=True)
        case [side, folder]:
            found = Case(side, Path(folder))
            asyncio.run(_work(found))
            print(MARK + json.dumps([found.sent, found.statuses]), flush=True)
        case _:
            version = importlib.metadata.version("litellm")
            made = table({f"stock {version}, `rpd: 10`": asked(STOCK), "`homelab.quotas`": asked(OURS)})
            print(made)
            before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
            PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
