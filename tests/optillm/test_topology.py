"""The routing graph has no way round through OptiLLM."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm.addresses import own_addresses
from litellm_homelab.optillm.topology import Graph, RoutingEntry, base_model, find_cycle, find_cycles, written

OWN = own_addresses(4000, ["gate.example"])
LANE = "http://127.0.0.1:8100/v1"
BACKEND = "http://127.0.0.1:9000/v1"


def boost(model: str) -> list[RoutingEntry]:
    """Build a handle whose deployment is OptiLLM in front of a model."""
    return [RoutingEntry(f"openai/{model}", LANE)]


FAST = {"fast": [RoutingEntry("openai/real", BACKEND)]}


@pytest.mark.parametrize(
    ("graph", "path"),
    [
        pytest.param(
            Graph({"boost": boost("boost")}, frozenset({"boost"}), OWN),
            "boost -> OptiLLM -> boost",
            id="itself",
        ),
        pytest.param(
            Graph({"boost": boost("moa-re2-boost")}, frozenset({"boost"}), OWN),
            "boost -> OptiLLM -> boost",
            id="behind prefixes",
        ),
        pytest.param(
            Graph({"a": boost("b"), "b": boost("a")}, frozenset({"a", "b"}), OWN),
            "a -> OptiLLM -> b -> OptiLLM -> a",
            id="two handles",
        ),
        pytest.param(
            Graph({"boost": boost("fast"), **FAST}, frozenset({"boost"}), OWN, fallbacks={"fast": ["boost"]}),
            "boost -> OptiLLM -> fast -> boost",
            id="by a fallback",
        ),
        pytest.param(
            Graph({"boost": boost("fast"), **FAST}, frozenset({"boost"}), OWN, fallbacks={"*": ["boost"]}),
            "boost -> OptiLLM -> fast -> boost",
            id="by everyone's fallback",
        ),
        pytest.param(
            Graph({"boost": boost("nick")}, frozenset({"boost"}), OWN, aliases={"nick": "boost"}),
            "boost -> OptiLLM -> nick -> boost",
            id="by an alias",
        ),
        pytest.param(
            Graph(
                {"boost": boost("hop"), "hop": [RoutingEntry("openai/boost", "http://gate.example:4000/v1")]},
                frozenset({"boost"}),
                OWN,
            ),
            "boost -> OptiLLM -> hop -> this gateway -> boost",
            id="by this gateway under another name",
        ),
        pytest.param(
            Graph({"self": [RoutingEntry("openai/self", "http://localhost:4000/v1")]}, frozenset(), OWN),
            "self -> this gateway -> self",
            id="this gateway alone",
        ),
        pytest.param(
            Graph(
                {"boost": boost("other"), "other": [RoutingEntry("openai/boost", "http://localhost:8100")]},
                frozenset({"boost"}),
                OWN,
            ),
            "boost -> OptiLLM -> other -> OptiLLM -> boost",
            id="a group at OptiLLM's address that is no declared handle",
        ),
        pytest.param(
            Graph({"boost": boost("x/anything"), "x/*": boost("boost")}, frozenset({"boost"}), OWN),
            "boost -> OptiLLM -> x/anything -> OptiLLM -> boost",
            id="by a wildcard group",
        ),
        pytest.param(
            Graph({"boost": [*FAST["fast"], *boost("boost")], **FAST}, frozenset({"boost"}), OWN),
            "boost -> OptiLLM -> boost",
            id="by the second deployment",
        ),
    ],
)
def test_finds_the_way_round(graph: Graph, path: str) -> None:
    """Every kind of edge counts, and the path names what it goes through."""
    cycle = find_cycle(graph)
    assert cycle is not None
    assert written(cycle) == path


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(Graph({"boost": boost("fast"), **FAST}, frozenset({"boost"}), OWN), id="the usual"),
        pytest.param(
            Graph(
                {"a": FAST["fast"], "b": FAST["fast"]}, frozenset(), OWN, fallbacks={"a": ["b"], "b": ["a"]}
            ),
            id="fallbacks that go round in the router",
        ),
        pytest.param(
            Graph({"boost": boost("fast"), **FAST}, frozenset({"boost"}), OWN, fallbacks={"boost": ["fast"]}),
            id="a fallback of the handle itself",
        ),
        pytest.param(Graph({"boost": boost("elsewhere")}, frozenset({"boost"}), OWN), id="no such group"),
        pytest.param(
            Graph({"boost": boost("boost")}, frozenset(), OWN), id="OptiLLM that calls another gateway"
        ),
        pytest.param(Graph({}, frozenset({"gone"}), OWN), id="nothing at all"),
    ],
)
def test_finds_none_where_there_is_none(graph: Graph) -> None:
    """Legitimate graphs pass."""
    assert find_cycle(graph) is None


@pytest.mark.parametrize(
    ("model", "base"),
    [
        pytest.param("openai/fast", "fast", id="plain"),
        pytest.param("openai/moa-fast", "fast", id="prefix"),
        pytest.param("openai/none-re2-fast", "fast", id="prefixes"),
        pytest.param("openai/a&b-fast", "fast", id="a sign"),
        pytest.param("openai/groq/llama-3.3", "groq/llama-3.3", id="slashes"),
        pytest.param("fast", "fast", id="no provider"),
        pytest.param("openai/moa", "", id="nothing left"),
    ],
)
def test_the_base_model_is_what_optillm_asks_for(model: str, base: str) -> None:
    """Provider and approaches come off, as OptiLLM takes them off."""
    assert base_model(model) == base


NAMES = st.sampled_from(["a", "b", "c", "d"])


@given(
    st.dictionaries(NAMES, st.lists(NAMES, max_size=2), min_size=1),
    st.frozensets(NAMES),
    st.dictionaries(NAMES, st.lists(NAMES, max_size=2)),
)
def test_agrees_with_walking_every_way(
    models: dict[str, list[str]], optillm: frozenset[str], fallbacks: dict[str, list[str]]
) -> None:
    """A cycle is reported exactly when following calls and fallbacks can come back through OptiLLM."""
    groups = {
        name: [RoutingEntry(f"openai/{target}", f"http://{name}.example/v1") for target in targets]
        for name, targets in models.items()
    }
    calls = {(name, target) for name in optillm for target in models.get(name, ())}
    hops = {(name, target) for name in groups for target in fallbacks.get(name, ())}
    reach = calls | hops
    for _ in range(4):
        reach |= {(start, end) for start, middle in reach for again, end in reach if middle == again}
    expected = any(start == end or (end, start) in reach for start, end in calls)
    cycle = find_cycle(Graph(groups, optillm, OWN, fallbacks=fallbacks))
    assert (cycle is not None) == expected
    assert cycle is None or (cycle[0] == cycle[-1] and cycle[1] == "OptiLLM")


def test_every_loop_is_found_once() -> None:
    """Two loops that share no name are two, wherever they begin."""
    groups = {
        "boost": [RoutingEntry("openai/main", LANE)],
        "main": [RoutingEntry("openai/boost", LANE)],
        "own": [RoutingEntry("openai/own", "http://localhost:4000/v1")],
        "model": [RoutingEntry("openai/model", "http://127.0.0.1:8080/v1")],
    }
    found = find_cycles(Graph(groups, frozenset({"boost"}), OWN))
    assert found == (
        ("boost", "OptiLLM", "main", "OptiLLM", "boost"),
        ("own", "this gateway", "own"),
    )
