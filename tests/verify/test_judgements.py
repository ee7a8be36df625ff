"""How answers are judged, by table: what a gateway may say, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import pytest

from litellm_homelab.advisories.listed import published
from litellm_homelab.optillm.catalogue import CATALOGUE
from litellm_homelab.verify import (
    access,
    check,
    gateway,
    names,
    optillm_handles,
    optillm_server,
    plain_handles,
    reading,
    search,
)
from litellm_homelab.verify.check import Judge, VerifyCheck
from litellm_homelab.verify.exchange import KeyRole, NoReply, VerifyReply, VerifyVerdict
from litellm_homelab.verify.lab import LaneFacts, VerifyKeys, VerifyLab

PASSED, FAILED = VerifyVerdict.PASSED, VerifyVerdict.FAILED
NOT_APPLICABLE, NOT_CHECKED = VerifyVerdict.NOT_APPLICABLE, VerifyVerdict.NOT_CHECKED
URL = "http://127.0.0.1:4000"
DEAD = VerifyReply(failure=NoReply.TIMEOUT)
LANE = LaneFacts("boost", ("none", "moa", "bon"))
OURS = '# TYPE homelab_refusals counter\nhomelab_refusals_total{type="authentication_error"} '


def reply(status: int, body: str = "{}", **headers: str) -> VerifyReply:
    """An answer; `_` for `-` in the names of headers."""
    return VerifyReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def refusal(status: int, kind: str) -> VerifyReply:
    """An error in OpenAI's shape."""
    return reply(status, f'{{"error": {{"message": "no", "type": "{kind}"}}}}')


def answer(text: str = "ready", finish: str = "stop", **headers: str) -> VerifyReply:
    """A chat completion of `main`."""
    choice = f'{{"finish_reason": "{finish}", "message": {{"content": "{text}"}}}}'
    return reply(200, f'{{"model": "main", "choices": [{choice}]}}', **headers)


def ran(calls: str, text: str = "ready", finish: str = "stop") -> VerifyReply:
    """An answer of OptiLLM."""
    return answer(text, finish, x_homelab_approach="moa", x_homelab_calls=calls)


def stripped(times: int) -> VerifyReply:
    """Metrics in which the field was taken out so many times."""
    line = f'homelab_fields_stripped_total{{field="optillm_approach",handle="main"}} {times}\n'
    return reply(200, f"{OURS}0\n{line}")


CONFIGURED = VerifyLab(URL, is_configured=True, handles=("main", "deep"), prefixes=("ollama/",))
LISTED = '{"data": [{"id": "main"}, {"id": "deep"}]}'
EXPLOITED = next(
    one for one in published().advisories if one.exploited and one.package == "litellm" and one.affected
)

CASES: dict[str, tuple[Judge, Sequence[VerifyReply], VerifyVerdict]] = {
    # --- the address
    "alive": (partial(gateway.alive, URL), [reply(200, '"I\'m alive!"')], PASSED),
    "no answer": (partial(gateway.alive, URL), [DEAD], FAILED),
    "a page": (partial(gateway.alive, URL), [reply(200, "<!doctype html>")], FAILED),
    "a redirect": (partial(gateway.alive, URL), [reply(302, "", location="/login")], FAILED),
    "another JSON": (partial(gateway.alive, URL), [reply(200, '{"ok": true}')], FAILED),
    "ready without a database": (gateway.ready, [reply(200, '{"db": "Not connected"}')], PASSED),
    "ready with one": (gateway.ready, [reply(200, '{"db": "connected"}')], PASSED),
    "disconnected": (gateway.ready, [reply(200, '{"db": "disconnected"}')], FAILED),
    "its database is down": (gateway.ready, [refusal(503, "db_exception")], FAILED),
    "not ready": (gateway.ready, [reply(503)], FAILED),
    "no date": (gateway.clock, [reply(200)], NOT_CHECKED),
    "a date that is none": (gateway.clock, [reply(200, date="yesterday")], NOT_CHECKED),
    "a late clock": (
        gateway.clock,
        [replace(reply(200, date="Thu, 26 Nov 2026 12:00:00 GMT"), at=1.8e9)],
        FAILED,
    ),
    "a tested version": (
        gateway.version,
        [reply(200), reply(200, '{"gateway": {"litellm": "1.108.7"}}')],
        PASSED,
    ),
    "an untested version": (gateway.version, [reply(200, '{"litellm_version": "1.999.0"}')], NOT_CHECKED),
    "no version": (gateway.version, [reply(200), reply(404)], NOT_CHECKED),
    # --- keys
    "refused": (partial(access.refused, "x", (401,)), [refusal(401, "x"), refusal(401, "x")], PASSED),
    "one of two served": (partial(access.refused, "x", (401,)), [refusal(401, "x"), reply(200)], FAILED),
    "a broken connection": (partial(access.refused, "x", (401,)), [DEAD], NOT_CHECKED),
    "the default key": (access.default_key, [reply(200)], FAILED),
    "an error for it": (access.default_key, [reply(500)], NOT_CHECKED),
    "LiteLLM's own refusal": (access.gate, [refusal(401, "auth_error")], FAILED),
    "ours": (access.gate, [refusal(401, "authentication_error")], PASSED),
    "none": (access.gate, [reply(200)], NOT_CHECKED),
    "a client that manages": (access.management, [reply(200)], FAILED),
    "its key is not known": (access.management, [refusal(401, "x")], NOT_CHECKED),
    "pages": (partial(access.pages, ("/docs",)), [reply(200)], FAILED),
    # --- names
    "our 404": (names.plugin, [refusal(404, "model_not_found")], PASSED),
    "no plugin": (names.plugin, [refusal(503, "policy_error")], FAILED),
    "stock's 400": (names.plugin, [refusal(400, "invalid_request_error")], FAILED),
    "as configured": (partial(names.listing, CONFIGURED), [reply(200, LISTED)], PASSED),
    "one more": (partial(names.listing, CONFIGURED), [reply(200, LISTED.replace("main", "other"))], FAILED),
    "one less": (partial(names.listing, CONFIGURED), [reply(200, '{"data": [{"id": "main"}]}')], FAILED),
    "one less, its server away": (
        partial(names.listing, replace(CONFIGURED, may_leave=True)),
        [reply(200, '{"data": [{"id": "main"}]}')],
        PASSED,
    ),
    "a discovered one": (
        partial(names.listing, replace(CONFIGURED, handles=("main",))),
        [reply(200, '{"data": [{"id": "main"}, {"id": "ollama/qwen3:4b"}]}')],
        PASSED,
    ),
    "an mlx- id": (
        partial(names.listing, VerifyLab(URL)),
        [reply(200, '{"data": [{"id": "mlx-gpt-oss-20b"}]}')],
        FAILED,
    ),
    "a pattern": (
        partial(names.listing, VerifyLab(URL)),
        [reply(200, '{"data": [{"id": "ollama/*"}]}')],
        FAILED,
    ),
    "no list": (partial(names.listing, CONFIGURED), [reply(200, "[]")], FAILED),
    "no details": (names.details, [refusal(403, "route_not_allowed")], NOT_APPLICABLE),
    "details that break": (names.details, [reply(500)], NOT_CHECKED),
    "the upstream's model": (
        names.details,
        [reply(200, '{"data": [{"model_name": "main", "litellm_params": {"model": "openai/x"}}]}')],
        FAILED,
    ),
    "the same 404": (
        partial(names.same_answer, ("no", "base")),
        [reply(404, "'no' is not there; there is base2"), reply(404, "'base' is not there; there is base2")],
        PASSED,
    ),
    "another text": (
        partial(names.same_answer, ("no", "base")),
        [reply(404, "'no' is not there"), reply(404, "'base' is closed")],
        FAILED,
    ),
    "it answers": (partial(names.same_answer, ("no", "base")), [reply(404), reply(200)], FAILED),
    "unknown names are served": (
        partial(names.same_answer, ("no", "base")),
        [reply(200), reply(200)],
        FAILED,
    ),
    "no connection for it": (partial(names.same_answer, ("no", "base")), [reply(404), DEAD], NOT_CHECKED),
    "its own name": (partial(names.own_name, "main"), [answer()], PASSED),
    "another name": (partial(names.own_name, "deep"), [answer()], FAILED),
    "no choices": (partial(names.own_name, "main"), [reply(200)], FAILED),
    "a backend that is away": (partial(names.own_name, "main"), [refusal(503, "model_absent")], FAILED),
    # --- plain handles
    "taken out": (partial(plain_handles.taken_out, "main"), [stripped(1), answer(), stripped(2)], PASSED),
    "not taken out": (partial(plain_handles.taken_out, "main"), [stripped(1), answer(), stripped(1)], FAILED),
    "refused for it": (
        partial(plain_handles.taken_out, "main"),
        [stripped(1), refusal(400, "param_not_allowed"), stripped(1)],
        PASSED,
    ),
    "run by OptiLLM": (
        partial(plain_handles.taken_out, "main"),
        [stripped(1), ran("3"), stripped(2)],
        FAILED,
    ),
    "no metrics": (partial(plain_handles.taken_out, "main"), [reply(404), answer(), reply(404)], NOT_CHECKED),
    "no answer to it": (
        partial(plain_handles.taken_out, "main"),
        [stripped(1), refusal(503, "x"), stripped(1)],
        NOT_CHECKED,
    ),
    "a name": (partial(plain_handles.no_name, "moa-main"), [answer()], FAILED),
    "no name": (partial(plain_handles.no_name, "moa-main"), [reply(404)], PASSED),
    "a tag that is text": (plain_handles.no_run, [answer()], PASSED),
    "a tag that runs": (plain_handles.no_run, [ran("3")], FAILED),
    "a tag that is refused": (plain_handles.no_run, [refusal(400, "approach_in_prompt")], PASSED),
    "a loop refused": (plain_handles.loop, [refusal(508, "loop_detected")], PASSED),
    "a loop served": (plain_handles.loop, [answer()], FAILED),
    "a loop, and no backend": (plain_handles.loop, [refusal(503, "model_absent")], NOT_CHECKED),
    "a loop, and an error": (plain_handles.loop, [reply(500)], FAILED),
    # --- OptiLLM handles
    "three calls": (partial(optillm_handles.calls, "moa"), [ran("3")], PASSED),
    "thoughts only": (partial(optillm_handles.calls, "moa"), [ran("3", "", "length")], PASSED),
    "no text": (partial(optillm_handles.calls, "moa"), [ran("3", "")], FAILED),
    "one call": (partial(optillm_handles.calls, "moa"), [ran("1")], FAILED),
    "no call": (partial(optillm_handles.calls, "moa"), [ran("0")], FAILED),
    "an error in the text": (partial(optillm_handles.calls, "moa"), [ran("4", "Error: Could not")], FAILED),
    "another approach": (partial(optillm_handles.calls, "bon"), [ran("3")], FAILED),
    "no header": (partial(optillm_handles.calls, "moa"), [answer()], FAILED),
    "down": (partial(optillm_handles.calls, "moa"), [refusal(500, "internal_server_error")], FAILED),
    "hanging": (partial(optillm_handles.calls, "moa"), [DEAD], FAILED),
    "an approach that is not allowed": (
        partial(optillm_handles.calls, "moa"),
        [refusal(400, "approach_not_allowed")],
        NOT_CHECKED,
    ),
    "an answer without a count": (optillm_handles.answers, [answer()], NOT_CHECKED),
    "no answer without a count": (optillm_handles.answers, [reply(500)], FAILED),
    "tags refused": (partial(optillm_handles.tag, LANE), [refusal(400, "approach_in_prompt")], PASSED),
    "tags served": (partial(optillm_handles.tag, LANE), [answer()], FAILED),
    "tags made inert": (partial(optillm_handles.tag, replace(LANE, refuses_tags=False)), [answer()], PASSED),
    "tags, and an error": (partial(optillm_handles.tag, LANE), [reply(500)], FAILED),
    "not allowed": (
        partial(optillm_handles.not_allowed, "mcts"),
        [refusal(400, "approach_not_allowed")],
        PASSED,
    ),
    "allowed": (partial(optillm_handles.not_allowed, "mcts"), [answer()], FAILED),
    "router with calls": (
        optillm_handles.router,
        [answer(x_homelab_approach="router", x_homelab_calls="4")],
        PASSED,
    ),
    "router with one call": (
        optillm_handles.router,
        [answer(x_homelab_approach="router", x_homelab_calls="1")],
        NOT_CHECKED,
    ),
    "router that is not there": (optillm_handles.router, [reply(500)], FAILED),
    "router under another name": (optillm_handles.router, [ran("4")], FAILED),
    "the way round is closed": (
        partial(optillm_handles.way_round, "V"),
        [refusal(400, "loop_detected")],
        PASSED,
    ),
    "the way round is open": (partial(optillm_handles.way_round, "V"), [answer()], FAILED),
    "OptiLLM's key is not known": (
        partial(optillm_handles.way_round, "V"),
        [refusal(401, "authentication_error")],
        FAILED,
    ),
    # --- OptiLLM itself
    "a key is asked for": (optillm_server.refused, [reply(401), reply(401)], PASSED),
    "any key will do": (optillm_server.refused, [reply(401), reply(500)], FAILED),
    "OptiLLM is away": (optillm_server.refused, [DEAD, DEAD], NOT_CHECKED),
    "loopback only": (partial(optillm_server.loopback, ("10.0.0.2",)), [DEAD], PASSED),
    "every address": (partial(optillm_server.loopback, ("10.0.0.2",)), [reply(404)], FAILED),
    "its listing": (partial(optillm_server.way_back, "V"), [reply(200, '{"data": []}')], PASSED),
    "its key is another": (partial(optillm_server.way_back, "V"), [reply(401)], FAILED),
    "its upstream refuses": (partial(optillm_server.way_back, "V"), [reply(500, '{"error": "401"}')], FAILED),
    "an /engines/ address": (
        partial(optillm_server.way_back, "V"),
        [reply(500, '{"error": "404"}')],
        NOT_CHECKED,
    ),
    # --- reading
    "guarded": (partial(reading.guarded, ("/a", "/b"), "do"), [reply(401), reply(403)], PASSED),
    "a slash": (
        partial(reading.guarded, ("/metrics",), "do"),
        [reply(307, "", location=f"{URL}/metrics/")],
        PASSED,
    ),
    "elsewhere": (partial(reading.guarded, ("/metrics",), "do"), [reply(307, "", location="/x")], FAILED),
    "shown": (partial(reading.guarded, ("/a", "/b"), "do"), [reply(401), reply(200)], FAILED),
    "not there": (partial(reading.guarded, ("/a",), "do"), [reply(404)], NOT_APPLICABLE),
    "our series": (partial(reading.readable, True, "V"), [reply(200, f"{OURS}0\n")], PASSED),
    "other series": (partial(reading.readable, True, "V"), [reply(200, "up 1\n")], FAILED),
    "a key that may not": (partial(reading.readable, True, "V"), [reply(403)], FAILED),
    "off": (partial(reading.readable, False, "V"), [reply(404)], NOT_APPLICABLE),
    # --- search
    "results": (partial(search.results, True), [reply(200, '{"results": [{"url": "x"}]}')], PASSED),
    "no results": (partial(search.results, True), [reply(200, '{"results": []}')], FAILED),
    "no JSON": (partial(search.results, True), [reply(500)], FAILED),
    "no tool": (partial(search.results, True), [reply(404)], FAILED),
    "no tool is known": (partial(search.results, False), [reply(404)], NOT_APPLICABLE),
    "a key without search": (partial(search.results, True), [reply(403)], NOT_CHECKED),
    "search without a key": (search.guarded, [reply(200)], FAILED),
}


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_judged(case: str) -> None:
    """As the table says; a failure says what to do."""
    judge, replies, verdict = CASES[case]
    found = judge(replies)
    assert found.verdict is verdict, found
    assert found.seen
    assert found.do or verdict is not FAILED


def test_an_exploited_version_fails() -> None:
    """Whichever one the list of advisories names."""
    bounds = EXPLOITED.affected[0]
    version = bounds.last or bounds.introduced
    found = gateway.version([reply(200, f'{{"litellm_version": "{version}"}}')])
    assert (found.verdict, EXPLOITED.id in found.seen) == (FAILED, True)


@pytest.mark.parametrize(("before", "after", "named"), [(1, 2, True), (1, 1, False)])
def test_the_gateways_count_says_that_it_refused_optillm(before: int, after: int, named: bool) -> None:
    """Unknown keys are counted; OptiLLM answers with an error of its own."""
    looks = [reply(200, f"{OURS}{number}\n") for number in (before, after)]
    found = optillm_handles.calls("moa", [looks[0], reply(500), looks[1]])
    assert ("refused the key" in found.seen) == named


def test_a_loop_of_optillm_is_named() -> None:
    """The client gets the gateway's own word for it."""
    found = optillm_handles.calls("moa", [refusal(508, "loop_detected")])
    assert "leads to OptiLLM again" in found.seen


@pytest.mark.parametrize(
    ("approaches", "most", "chosen"),
    [
        pytest.param(("none", "re2", "moa", "bon"), 64, "moa", id="the fewest calls"),
        pytest.param(("none", "bon", "plansearch"), 6, "plansearch", id="within max_calls"),
        pytest.param(("none", "re2"), 64, "", id="none"),
        pytest.param(("router", "web_search"), 64, "", id="none that is harmless"),
        pytest.param((), 64, "moa", id="not known"),
    ],
)
def test_the_approach_that_is_tried(approaches: tuple[str, ...], most: int, chosen: str) -> None:
    """Several calls, and as few as possible."""
    assert optillm_handles.several(LaneFacts("boost", approaches, max_calls=most)) == chosen


def of(lab: VerifyLab) -> Mapping[str, VerifyCheck]:
    """The checks on a lab by id."""
    parts = (gateway, access, names, plain_handles, optillm_handles, optillm_server, reading, search)
    return {one.id: one for part in parts for one in part.checks(lab)}


def verdicts(lab: VerifyLab) -> dict[str, VerifyVerdict]:
    """What is settled before anything is asked."""
    return {name: one.settled.verdict for name, one in of(lab).items() if one.settled is not None}


BARE = VerifyLab(URL, VerifyKeys({KeyRole.MASTER: "sk-x"}), is_configured=True)


def test_what_is_not_there_does_not_apply() -> None:
    """No client's key, no handle, no OptiLLM, no search tool."""
    found = verdicts(BARE)
    assert {name for name, one in found.items() if one is NOT_CHECKED} == {"keys.client"}
    assert {"keys.management", "handle.answers", "approach.name", "optillm.calls", "search.answers"} <= {
        name for name, one in found.items() if one is NOT_APPLICABLE
    }


def test_a_dangerous_approach_is_not_started() -> None:
    """A web search of OptiLLM's own is said, and not tried."""
    lane = LaneFacts("research", ("router", "web_search"))
    found = of(replace(BARE, lanes=(lane,)))
    settled = found["optillm.web-search"].settled
    assert settled is not None
    assert settled.verdict is NOT_CHECKED
    assert "drives a Chrome" in settled.seen
    assert found["optillm.router"].settled is None


def test_calls_that_cannot_be_counted() -> None:
    """With `carrier: off` none of them is OptiLLM's for sure."""
    lanes = (replace(LANE, counts_calls=False),)
    judge = of(replace(BARE, lanes=lanes))["optillm.calls"].judge
    assert judge is optillm_handles.answers


def test_every_ordinary_approach_is_listed() -> None:
    """Then there is none to try."""
    lane = LaneFacts("wide", tuple(CATALOGUE))
    assert verdicts(replace(BARE, lanes=(lane,)))["optillm.not-listed"] is NOT_APPLICABLE


def test_a_handle_without_a_key_is_not_checked() -> None:
    """None of the known keys may use it."""
    lanes = (LaneFacts("boost", ("moa",), key=None),)
    assert verdicts(replace(BARE, lanes=lanes))["optillm.calls"] is NOT_CHECKED


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://gateway.example", PASSED),
        (URL, NOT_APPLICABLE),
        ("http://gateway.tailnet.ts.net:4000", NOT_APPLICABLE),
        ("http://gateway.example", FAILED),
    ],
)
def test_clear_text_on_a_public_network(url: str, verdict: VerifyVerdict) -> None:
    """Keys would be readable on the way."""
    assert verdicts(replace(BARE, url=url))["gateway.encrypted"] is verdict


def test_an_optillm_at_a_network_address() -> None:
    """Whoever reaches it can try its key."""
    found = verdicts(replace(BARE, optillm="http://192.0.2.4:4020", own_addresses=("192.0.2.7",)))
    assert found["optillm-server.loopback"] is FAILED


def test_questions_for_a_model_are_marked() -> None:
    """They are few, short, and counted apart from those that are refused."""
    lab = replace(BARE, plain="main", lanes=(LANE,), closed=("base",))
    asked = [question for one in of(lab).values() for question in one.questions]
    for_models = [one for one in asked if one.is_call]
    assert len(for_models) <= 6
    assert all(one.body is not None and one.body["max_tokens"] <= 256 for one in for_models)
    assert len(asked) <= 60


@pytest.mark.parametrize(
    "answer",
    [refusal(401, "authentication_error"), refusal(403, "route_not_allowed")],
    ids=["unknown", "another route"],
)
def test_a_key_that_is_not_let_in(answer: VerifyReply) -> None:
    """That is one fault, named once: what rests on the key is not checked."""
    for one in of(replace(BARE, plain="main", lanes=(LANE,), closed=("base",))).values():
        if one.key is not None:
            found = one.judged([answer for _ in one.questions])
            assert found.verdict is NOT_CHECKED, one.id


def test_what_the_owner_opened_does_not_apply() -> None:
    """By `homelab.gate.open`."""
    found = of(replace(BARE, opened=("/metrics", "/docs*")))
    settled = found["metrics.key"].settled
    assert settled is not None
    assert settled.verdict is NOT_APPLICABLE
    assert "metrics.client" not in found
    assert [one.path for one in found["keys.pages"].questions] == ["/redoc", "/openapi.json", "/", "/ui/"]


def test_time_that_is_up_fails_nothing() -> None:
    """What was not asked is not checked."""
    late = check.VerifyCheck("x", "y", (), names.plugin)
    assert late.judged([VerifyReply(failure=NoReply.TIME_UP)]).verdict is NOT_CHECKED
    assert check.VerifyCheck("x", "y").judged([]).verdict is NOT_CHECKED
