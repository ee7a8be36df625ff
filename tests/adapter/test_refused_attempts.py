"""A refusal before an attempt is final on every route: no upstream gets the attempt, no deployment rests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.decision import STATUS, RefusalType, Refuse
from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.upstream import Upstream
from tests.adapter.failing import ROUTER, ROUTES, ask, handle_of, resting
from tests.docs.probe import probe

PATIENCE = 3
"""Times that each question is asked: with `allowed_fails: 0` one counted failure rests a deployment."""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    probe.forget()
    yield
    probe.forget()


@contextmanager
def _router(folder: Path, **settings: object) -> Iterator[Path]:
    """The router of the failure tests, with the probe after our plugin; a deployment's id is its group."""
    document: dict[str, Any] = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["litellm_settings"]["callbacks"].append("tests.docs.probe.probe")
    document["router_settings"] |= {"allowed_fails": 0, **settings}
    for one in document["model_list"]:
        if one["model_name"] != "pair":
            one["model_info"]["id"] = one["model_name"]
        one["model_info"]["supports_assistant_prefill"] = True
    path = folder / "router.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    yield path


def _denying(
    groups: tuple[str, ...], kind: RefusalType, when: Callable[[], bool] = lambda: True
) -> Callable[[str], Exception | None]:
    """Refuses the attempts of these groups, from when on it is to."""
    return lambda deployment: (
        Refused(Refuse(kind, "refused here")) if deployment in groups and when() else None
    )


def _another(upstream: Upstream) -> Callable[[], bool]:
    """Whether an upstream has received a request since now."""
    before = len(upstream.requests)
    return lambda: len(upstream.requests) > before


async def test_a_first_attempt_is_refused_on_every_route(tmp_path: Path) -> None:
    """Whole and streamed, with each status, with retries and a fallback that would have served."""
    wrong: list[tuple[str, int, list[str]]] = []
    with _router(tmp_path, num_retries=2) as config:
        async with MockProxy(config) as proxy:
            for route in ROUTES:
                for kind in (RefusalType.MODEL_NOT_FOUND, RefusalType.POLICY_ERROR):
                    probe.deny = _denying((handle_of(route),), kind)
                    for _ in range(PATIENCE):
                        answer = await ask(proxy, route)
                        if (answer.status, answer.sent_to) != (STATUS[kind], []):
                            wrong.append((f"{route}, {kind}", answer.status, answer.sent_to))
            assert (wrong, resting()) == ([], [])


@pytest.mark.parametrize("kind", RefusalType)
async def test_a_refusal_of_each_kind_is_final(tmp_path: Path, kind: RefusalType) -> None:
    """The client gets its status each time, and afterwards the handle itself serves."""
    with _router(tmp_path, num_retries=2) as config:
        async with MockProxy(config) as proxy:
            probe.deny = _denying(("main",), kind)
            refused = [await proxy.chat("main") for _ in range(PATIENCE)]
            probe.forget()
            served = await proxy.chat("main")
    assert [(one.status, one.sent_to) for one in refused] == [(STATUS[kind], [])] * PATIENCE
    assert (served.status, served.sent_to) == (200, ["main"])


LATER: dict[str, tuple[int | str, tuple[str, ...]]] = {
    "a retry": (500, ("main",)),
    "every fallback": (500, ("rung", "strict")),
    "every fallback of a server that is off": ("down", ("rung", "strict")),
    "every fallback that could continue a stream": ("drop", ("rung", "strict")),
}
"""How `main` fails, and the groups whose attempts are refused after that."""


@pytest.mark.parametrize("name", LATER)
async def test_a_later_attempt_is_refused(tmp_path: Path, name: str) -> None:
    """Retries, fallbacks and continued streams: the upstream of the refused attempt receives nothing."""
    fault, refused = LATER[name]
    wrong: list[tuple[str, list[str]]] = []
    settings = {
        "num_retries": int(name == "a retry"),
        "fallbacks": [{"main": ["rung", "strict"]}],
        "enable_mid_stream_fallback_continuation": True,
        "disable_cooldowns": True,  # a `main` that rests would lead to the fallbacks at once
    }
    with _router(tmp_path, **settings) as config:
        async with MockProxy(config) as proxy:
            upstream = proxy.upstream("main")
            upstream.fails(fault)
            for route in (one for one in ROUTES if handle_of(one) == "main"):
                probe.deny = _denying(refused, RefusalType.MODEL_NOT_FOUND, _another(upstream))
                answer = await ask(proxy, route)
                if answer.sent_to != ["main"]:
                    wrong.append((route, answer.sent_to))
            assert wrong == []
