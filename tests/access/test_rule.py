"""The gate's rule over every route of LiteLLM, for every kind of caller."""

from __future__ import annotations

import pytest

from litellm_homelab.access.callers import MASTER, Caller
from litellm_homelab.access.rule import Gate
from litellm_homelab.access.table import FORWARDING, OWN, Access, Route, matches, reviewed
from litellm_homelab.decision import Allow, RefusalType, Refuse

CLIENT = Caller("app")
OPTILLM = Caller("optillm", "optillm")
METRICS = Caller("prometheus", "metrics")
WIDGETS = Caller("dashboard", "widgets")
ADMIN = Caller("me", "admin")
ROUTED = Caller("narrow", routes=("/v1/chat/completions", "/v1/model*"))
PEOPLE = (MASTER, CLIENT, OPTILLM, METRICS, WIDGETS, ADMIN)
CALLERS: dict[str, Caller | None] = {"no key": None}
CALLERS |= {"client" if one is CLIENT else one.role if one is not MASTER else "master": one for one in PEOPLE}

ALLOWED: dict[Access, frozenset[str]] = {
    Access.OPEN: frozenset(CALLERS),
    Access.METRICS: frozenset({"master", "metrics"}),
    Access.GUARDED: frozenset({"master", "client", "optillm", "admin"}),
    Access.UNGUARDED: frozenset(),
    Access.KEYLESS: frozenset({"master"}),
    Access.MANAGEMENT: frozenset({"master"}),
    Access.LOGIN: frozenset(CALLERS),
    Access.PAGE: frozenset({"master", "admin"}),
    Access.WIDGETS: frozenset({"master", "admin", "widgets"}),
}
"""Who may use what, by heading: issue 4's words, written down once more."""
GATE = Gate()


def outcome(gate: Gate, route: Route, caller: Caller | None) -> RefusalType | None:
    """What becomes of a request, in the order in which the hooks ask; None is let through."""
    if gate.access(route) in OWN:
        served = gate.page(route, caller)
        return served.type if isinstance(served, Refuse) else None
    decision = gate.before_key(route, caller)
    if isinstance(decision, Allow) and route.path == "/metrics":
        decision = gate.metrics(caller)
    if isinstance(decision, Allow) and gate.access(route) is not Access.OPEN:
        decision = gate.unknown(missing=True) if caller is None else gate.decide(route, caller)
    return decision.type if isinstance(decision, Refuse) else None


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("kind", Access)
def test_every_route_is_for_those_whom_its_heading_names(kind: Access, who: str) -> None:
    """Every method of every path of the heading is allowed to those, and refused to others."""
    routes = [Route(*key) for key, access in reviewed().items() if access is kind]
    assert routes
    if who in ALLOWED[kind]:
        expected = None
    elif CALLERS[who] is None and kind is not Access.UNGUARDED:
        expected = RefusalType.AUTHENTICATION_ERROR
    else:
        expected = RefusalType.ROUTE_NOT_ALLOWED
    wrong = [str(route) for route in routes if outcome(GATE, route, CALLERS[who]) != expected]
    assert wrong == []


@pytest.mark.parametrize("who", CALLERS)
def test_no_caller_gets_past_the_door_by_asking_later(who: str) -> None:
    """What the door refuses to a caller, the later question refuses too."""
    caller = CALLERS[who]
    if caller is not None:
        for key in reviewed():
            route = Route(*key)
            if isinstance(GATE.before_key(route, caller), Refuse):
                assert isinstance(GATE.decide(route, caller), Refuse), str(route)


def test_who_sends_matters_before_the_key_only_where_the_rule_says_so() -> None:
    """The door looks nobody up for any other route: the answer is the same for everyone."""
    for key in reviewed():
        route = Route(*key)
        answers = {type(GATE.before_key(route, caller)) for caller in CALLERS.values()}
        assert (len(answers) > 1) == (GATE.access(route) is Access.KEYLESS), str(route)


def test_a_caller_with_routes_has_those_and_no_more() -> None:
    """Of the guarded routes exactly those that `routes` names; the rest is as for any client."""
    for key, kind in reviewed().items():
        route = Route(*key)
        allowed = (kind is Access.GUARDED and matches(route.path, ROUTED.routes or ())) or kind in {
            Access.OPEN,
            Access.LOGIN,
        }
        assert isinstance(GATE.decide(route, ROUTED), Allow) == allowed, str(route)


def test_the_refusal_of_a_route_of_others_lists_ones_own() -> None:
    """The message of a caller with routes says which."""
    decision = GATE.decide(Route("POST", "/v1/embeddings"), ROUTED)
    assert isinstance(decision, Refuse)
    assert decision.message == (
        "This key may not use POST /v1/embeddings. It may use: /v1/chat/completions, /v1/model*."
    )


@pytest.mark.parametrize("path", ["/queue/chat/completions", "/vllm/{endpoint:path}"])
def test_an_opened_route_is_for_clients(path: str) -> None:
    """`homelab.gate.open` lets clients and the master key in, a metrics key and no key stay out."""
    gate, route = Gate((path,)), Route("POST", path)
    found = {who: outcome(gate, route, caller) for who, caller in CALLERS.items()}
    assert found == {
        "master": None,
        "client": None,
        "optillm": None,
        "admin": None,
        "metrics": RefusalType.ROUTE_NOT_ALLOWED,
        "widgets": RefusalType.ROUTE_NOT_ALLOWED,
        "no key": RefusalType.AUTHENTICATION_ERROR,
    }


@pytest.mark.parametrize(
    ("opened", "module", "is_open"),
    [
        pytest.param(
            "/vllm/*", "litellm.proxy.proxy_server", False, id="a-pattern-opens-no-unreviewed-route"
        ),
        pytest.param("/vllm/new/{x}", "litellm.proxy.proxy_server", True, id="its-whole-path-does"),
        pytest.param("/vllm/*", FORWARDING, True, id="the-operators-own-pass-through"),
    ],
)
def test_an_unreviewed_route_is_opened_by_its_whole_path(opened: str, module: str, is_open: bool) -> None:
    """A new LiteLLM may put anything below a path that the operator has opened with a star."""
    gate, route = Gate((opened,)), Route("POST", "/vllm/new/{x}", module)
    assert (outcome(gate, route, CLIENT) is None) == is_open
    assert gate.placed(route) == (Access.GUARDED if is_open else Access.UNGUARDED, is_open)


@pytest.mark.parametrize("who", CALLERS)
def test_the_refusal_of_an_unreviewed_route_says_so(who: str) -> None:
    """The master key gets it too."""
    decision = GATE.before_key(Route("POST", "/lens2/{path:path}"), CALLERS[who])
    assert isinstance(decision, Refuse)
    assert decision.type is RefusalType.ROUTE_NOT_ALLOWED
    assert "litellm-homelab has not reviewed it" in decision.message


def test_an_opened_route_is_still_subject_to_a_callers_routes() -> None:
    """Opening a route gives it to nobody whose `routes` do not name it."""
    gate = Gate(("/queue/*",))
    assert isinstance(gate.decide(Route("POST", "/queue/chat/completions"), ROUTED), Refuse)


def test_an_opened_page_needs_no_key() -> None:
    """What LiteLLM itself serves to anyone is open to anyone once it is opened."""
    gate = Gate(("/ui", "/health/drain"))
    for method, path in (("*", "/ui"), ("GET", "/health/drain")):
        assert isinstance(gate.before_key(Route(method, path), None), Allow)
    assert isinstance(gate.before_key(Route("POST", "/login"), None), Refuse)


def test_management_cannot_be_opened() -> None:
    """A name in `open` never gives a management route to a client."""
    gate = Gate(("*",))
    for key, kind in reviewed().items():
        if kind is Access.MANAGEMENT:
            assert isinstance(gate.decide(Route(*key), CLIENT), Refuse), key


def test_opened_metrics_are_for_anyone() -> None:
    """`/metrics` in `open` leaves the metrics to LiteLLM's own setting."""
    assert isinstance(Gate(("/metrics",)).metrics(None), Allow)


@pytest.mark.parametrize(
    ("path", "caller"),
    [
        pytest.param("/rag/query", MASTER, id="closed"),
        pytest.param("/key/generate", CLIENT, id="management"),
        pytest.param("/routes", None, id="no-key"),
        pytest.param("/v1/models", METRICS, id="metrics-role"),
    ],
)
def test_every_refusal_says_what_to_do(path: str, caller: Caller | None) -> None:
    """The message names what would work: another route, another key, or the operator's setting."""
    route = next(Route(*key) for key in reviewed() if key[1] == path)
    decision = GATE.before_key(route, caller)
    if isinstance(decision, Allow) and caller is not None:
        decision = GATE.decide(route, caller)
    assert isinstance(decision, Refuse)
    hints = ("homelab.gate.open", "master key", "Authorization: Bearer", "/metrics/")
    assert any(hint in decision.message for hint in hints), decision.message
