"""Hostile values everywhere: no series is made that the configuration does not name, and nothing is lost."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
import yaml
from prometheus_client import REGISTRY

from litellm_homelab.adapter import recording
from litellm_homelab.config.loading import parse
from litellm_homelab.config.settings import Known, Settings
from litellm_homelab.decision import RefusalType
from litellm_homelab.metrics.labels import OTHER, Labels
from litellm_homelab.metrics.series import COUNTERS, HISTOGRAMS
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.counts import changes
from tests.adapter.hostile import CHAT, KNOWN, Case, cases, words
from tests.adapter.lane import CALLERS, KEYS, TEXT, document, group, mark_of, proxy_on
from tests.adapter.without_litellm import USED, Gateway, UpstreamFailed, ask

REQUESTS: Final = 100_000
FEW: Final = 400
"""Requests through the whole of LiteLLM, some ten milliseconds each."""
LANE: Final = {"approaches": ["none", "re2", "moa"], "max_calls": 3}
LANES: Final = ("boost", "soft")
HANDLES: Final = ("main", "chain", "boost", "soft")
KEY_OF: Final[Mapping[str, str]] = {"master": "sk-master-of-the-test", **KEYS, "nobody": ""}
REFUSALS: Final = frozenset(kind.value for kind in RefusalType)
"""Types of errors that are ours."""
SHUT_OUT: Final = {
    "nobody": RefusalType.AUTHENTICATION_ERROR.value,
    "prometheus": RefusalType.ROUTE_NOT_ALLOWED.value,
}
"""Callers whom the gate refuses whatever they send, and how."""
SELDOM: Final = dict.fromkeys(("nowhere", "path", "route"), 0.1)
"""Kinds that are made less often: to find the route of a new path takes LiteLLM's router milliseconds."""
CASES: Final = cases(tuple(KEY_OF), HANDLES)


def router() -> dict[str, Any]:
    """A handle, one with a rung, two OptiLLM handles, and a caller of each role."""
    models = [group("main"), group("chain"), group("rung"), group("base")]
    models += [group("boost", "openai/base"), group("soft", "openai/base")]
    made = document(
        models,
        {"boost": {**LANE, "prefixes": True}, "soft": {**LANE, "tags": "neutralise"}},
        internal=("base", "rung"),
        fallbacks={"chain": ["rung"]},
        callers={
            **CALLERS,
            "app": {"key": KEYS["app"], "handles": ["main", "boost"]},
            "prometheus": {"key": KEYS["prometheus"], "role": "metrics"},
        },
    )
    return {**made, "general_settings": {**made["general_settings"], "master_key": KEY_OF["master"]}}


class Client:
    """Makes the requests, is their upstream, and keeps account of what happened."""

    def __init__(self, settings: Settings) -> None:
        self.gateway = Gateway.of(settings, router())
        self.gateway.upstream = self._upstream
        self._app = self.gateway.app()
        self.refused: Counter[tuple[str, str]] = Counter()
        """Refusals by type and caller, but those to OptiLLM's calls for which their root's stands."""
        self.children: Counter[str] = Counter()
        """Calls back by the type of their refusal; empty for those that were answered."""
        self.loops = 0
        """Calls with OptiLLM's key that asked for OptiLLM, and were told so."""
        self.whole = 0
        """Answers to clients that were not streamed."""
        self._left: tuple[str, ...] = ()
        self._faults = 0

    async def make(self, case: Case, word: str) -> None:
        """Make one request, and note what came of it."""
        made = case.made(word)
        self._left, self._faults = made.children, case.faults
        headers = {"authorization": f"Bearer {KEY_OF[case.caller] or f'sk-{word}'}", **made.headers}
        answer = await ask(self._app, made.path, made.content, headers, method=made.method)
        if answer.error in REFUSALS:
            self.refused[answer.error, OTHER if case.caller == "nobody" else case.caller] += 1
        self.loops += case.caller == "optillm" and answer.error == RefusalType.LOOP_DETECTED
        self.whole += answer.status == 200 and b"data:" not in answer.body

    async def _upstream(self, asked: str, sent: Mapping[str, Any]) -> None:
        if asked in LANES:
            children, self._left = self._left, ()
            for child in children:
                await self._call_back(child, mark_of(sent))
        if asked != "base" and self._faults:
            self._faults -= 1
            raise UpstreamFailed

    async def _call_back(self, model: str, mark: str) -> None:
        body = json.dumps({"model": model + mark, "messages": TEXT}).encode()
        answer = await ask(self._app, CHAT, body, {"authorization": f"Bearer {KEYS['optillm']}"})
        self.children[answer.error] += 1
        self.loops += model in LANES and answer.error == RefusalType.LOOP_DETECTED
        if answer.error in REFUSALS and answer.error != RefusalType.FANOUT_EXCEEDED:
            self.refused[answer.error, "optillm"] += 1


def series() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every sample of ours, by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name.startswith("homelab_")
    }


def total(seen: Mapping[str, float], name: str, **wanted: str) -> float:
    """The sum over the series of a metric that have these values of labels."""
    return sum(
        count
        for sample, count in seen.items()
        if sample.startswith(f"{name}{{") and wanted.items() <= labels_of(name, sample).items()
    )


def labels_of(name: str, sample: str) -> dict[str, str]:
    """The labels of a sample as `samples` writes it."""
    metric = f"homelab_{name.removesuffix('_count')}"
    names = COUNTERS[metric][1] if metric in COUNTERS else HISTOGRAMS[metric][1]
    return dict(zip(names, sample.partition("{")[2][:-1].split(","), strict=False))


@pytest.fixture
def settings() -> Settings:
    """The checked settings of `router`."""
    return parse(yaml.safe_dump(router()), path="router.yaml", environ={}, known=Known())


@pytest.fixture
def client(settings: Settings, quiet: None) -> Iterator[Client]:
    """A gateway without LiteLLM, with metrics."""
    yield Client(settings)
    recording.forget()


async def test_a_hundred_thousand_hostile_requests_make_no_series_and_each_is_counted(
    client: Client, settings: Settings
) -> None:
    """
    Through every hook: afterwards there are the series that known words made, and they tell what happened.

    First each kind of request is made by each caller about each handle, with words that are configured
    somewhere; then any of them with hostile ones.
    """
    dice = random.Random(5)
    with changes() as seen:
        for case in CASES:
            for word in KNOWN if case.faults == 0 and case.caller not in SHUT_OUT else KNOWN[:1]:
                await client.make(case, word)
        before = series()
        hostile = words(dice)
        for case in dice.choices(CASES, [SELDOM.get(case.kind, 1) for case in CASES], k=REQUESTS):
            await client.make(case, next(hostile))

    assert series() == before
    allowed = Labels.of(settings).values()
    assert all(
        value in {*allowed[name], OTHER} for _, labels in before for name, value in labels if name != "le"
    )
    check_refusals(client, seen)
    check_attempts(client, seen)
    check_roots(client, seen)


def check_refusals(client: Client, seen: Mapping[str, float]) -> None:
    """Every refusal that somebody got is counted, with its type and caller, and no other."""
    counted = {
        (kind, caller): total(seen, "refusals_total", type=kind, caller=caller)
        for kind, caller in client.refused
    }
    assert counted == dict(client.refused)
    assert total(seen, "refusals_total") == client.refused.total() > REQUESTS / 2
    assert total(seen, "loops_total") == client.loops > 0
    assert total(seen, "rule_errors_total") == 0


def check_attempts(client: Client, seen: Mapping[str, float]) -> None:
    """Every call of an upstream is an attempt; every answer has its times."""
    sent = client.gateway.sent
    counted = {
        one: total(seen, "attempts_total", handle=one[0], target=one[1], outcome=one[2]) for one in sent
    }
    assert counted == dict(sent)
    assert total(seen, "attempts_total") == sent.total()
    assert total(seen, "failover_seconds_count") == sent["chain", "rung", "answered"] > 0
    assert total(seen, "first_token_seconds_count") == client.gateway.streams > 0
    assert spoken() == client.whole > 0


def check_roots(client: Client, seen: Mapping[str, float]) -> None:
    """Every attempt at OptiLLM is a root, with the calls that it made; OptiLLM's other calls are orphans."""
    roots = sum(count for (_, target, _), count in client.gateway.sent.items() if target in LANES)
    assert total(seen, "optillm_children_count") == roots > 0
    assert (
        total(seen, "approach_requests_total") - total(seen, "approach_requests_total", action="refused")
        == roots
    )
    answered = client.children[""]
    assert total(seen, "optillm_tokens_total", kind="prompt") == USED["prompt_tokens"] * answered > 0
    assert total(seen, "optillm_tokens_total", kind="completion") == USED["completion_tokens"] * answered
    spent = client.children[RefusalType.FANOUT_EXCEEDED]  # counted, and refused, where they would be sent
    assert total(seen, "orphans_total") == client.gateway.admitted["optillm"] - answered - spent > 0


def spoken() -> float:
    """Answers whose speed was measured, since the metrics are shown."""
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "homelab_output_tokens_per_second_count"
    )


async def test_nor_do_hostile_requests_through_litellm_itself(tmp_path: Path, quiet: None) -> None:
    """The same requests through the whole app, without the calls back, which need an OptiLLM."""
    made = [case for case in CASES if case.faults == 0 and not case.kind.startswith(("calls", "loops"))]
    dice = random.Random(6)
    async with proxy_on(tmp_path, router()) as proxy:
        for case in made:
            await send(proxy, case, "plain")
            if case.handle == HANDLES[0]:
                await send(proxy, case, f"plain{MARKER}x")
        before = series()
        with changes() as seen:
            drawn = zip(dice.choices(made, k=FEW), words(dice), strict=False)
            answers = [(await send(proxy, case, word), case) for case, word in drawn]
        assert series() == before
    refused = Counter(kind for answer, case in answers if (kind := refusal_of(answer, case)) in REFUSALS)
    assert {kind: total(seen, "refusals_total", type=kind) for kind in refused} == dict(refused)
    assert total(seen, "refusals_total") == refused.total() > FEW / 2
    assert total(seen, "attempts_total") == sum(len(answer.sent_to) for answer, _ in answers) > 0
    assert total(seen, "rule_errors_total") == 0


async def send(proxy: MockProxy, case: Case, word: str) -> Answer:
    """Make a request of the mocked proxy; what no HTTP client would send is escaped or replaced."""
    made = case.made(word)
    headers = {"authorization": f"Bearer {KEY_OF[case.caller] or f'sk-{word}'}", **made.headers}
    return await proxy.request(
        "".join(one for one in made.method if one.isascii() and one.isalnum()) or "POST",
        quote(made.path, safe="/?=%", errors="replace"),
        content=made.content,
        headers=[(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()],
    )


def refusal_of(answer: Answer, case: Case) -> str:
    """
    The type of our refusal that led to an answer; empty for none.

    A 405 is FastAPI's.  Before it says that no caller has the key, LiteLLM says that it cannot read the body.
    """
    if answer.status < 400 or answer.status == 405 or not answer.text.startswith("{"):
        return ""
    if "Invalid JSON payload" in answer.text:
        return SHUT_OUT.get(case.caller, "")
    error = answer.json.get("error")
    return str(error.get("type")) if isinstance(error, dict) else ""
