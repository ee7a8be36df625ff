"""The hop rule: pairs of gateway and group in a header, and when a request has come back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.attempts import hops
from litellm_homelab.attempts.hops import MOST, GatewayIdentity, Hops
from litellm_homelab.decision import Allow, RefusalType, Refuse

ROUTES = [("main", "openai/m", "http://127.0.0.1:8000"), ("fast", "openai/f", "http://127.0.0.1:8001")]
HERE = GatewayIdentity.of("the-secret-of-this-test", ROUTES)


# --- the identity ------------------------------------------------------------------------------------


def test_workers_and_restarts_have_one_identity() -> None:
    """Whoever reads the same file with the same secret is the same gateway, in whatever order."""
    assert GatewayIdentity.of("the-secret-of-this-test", reversed(ROUTES)) == HERE


@pytest.mark.parametrize(
    ("secret", "routes"),
    [
        pytest.param("another-secret-altogether", ROUTES, id="another-secret"),
        pytest.param("the-secret-of-this-test", ROUTES[:1], id="fewer-models"),
        pytest.param(
            "the-secret-of-this-test", [("main", "openai/m", "http://127.0.0.1:9"), ROUTES[1]], id="elsewhere"
        ),
    ],
)
def test_two_gateways_have_two_identities(secret: str, routes: list[tuple[str, ...]]) -> None:
    """Another secret, or models that lead elsewhere: a pair of one is never one of the other."""
    other = GatewayIdentity.of(secret, routes)
    assert other.pair("main").partition(".")[0] != HERE.pair("main").partition(".")[0]
    assert other.pair("main").partition(".")[2] != HERE.pair("main").partition(".")[2]


def test_a_pair_shows_neither_names_nor_addresses() -> None:
    """It has two opaque parts of 16 characters; the first is the gateway's."""
    main, fast = HERE.pair("main"), HERE.pair("fast")
    assert re.fullmatch(r"[a-z2-7]{16}\.[a-z2-7]{16}", main)
    assert main.partition(".")[0] == fast.partition(".")[0]
    assert main != fast
    assert "secret" not in repr(HERE)
    assert HERE.key.hex() not in repr(HERE)


@pytest.mark.parametrize(
    ("asked", "group", "names"),
    [
        pytest.param("main", "main", ["main"], id="own-group"),
        pytest.param("main", "fast", ["main", "fast"], id="fallback"),
        pytest.param("main", None, ["main"], id="before-routing"),
        pytest.param("ollama/a", "ollama/*", ["ollama/a"], id="wildcard"),
        pytest.param(None, "main", ["main"], id="no-name"),
        pytest.param(None, None, [], id="nothing"),
    ],
)
def test_the_pairs_of_an_attempt(asked: str | None, group: str | None, names: list[str]) -> None:
    """The name that was asked for, and where a fallback leads, each once."""
    assert HERE.pairs(asked, group) == tuple(map(HERE.pair, names))


# --- the header --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param([], (), id="absent"),
        pytest.param([""], (), id="empty"),
        pytest.param(["a.b"], ("a.b",), id="one"),
        pytest.param(["a.b, c.d"], ("a.b", "c.d"), id="two"),
        pytest.param(["a.b", "c.d"], ("a.b", "c.d"), id="two-lines"),
        pytest.param([" a.b ,\tc.d,, "], ("a.b", "c.d"), id="spaces-and-empty-elements"),
        pytest.param(["a"], None, id="no-pair"),
        pytest.param(["a.b.c"], None, id="three-parts"),
        pytest.param(["a.b;c.d"], None, id="another-separator"),
        pytest.param(["a.b\x00"], None, id="control-character"),
        pytest.param(["ä.b"], None, id="not-ascii"),
        pytest.param([f"{'a' * 65}.b"], None, id="part-too-long"),
        pytest.param(["a.b," * 9000], None, id="header-too-long"),
        pytest.param(["a.b", "garbage"], None, id="garbage-in-a-second-line"),
    ],
)
def test_reading_the_header(values: list[str], found: Hops | None) -> None:
    """A list of pairs, over all lines of the header; anything else is malformed."""
    assert hops.read(values) == found


OWN = HERE.pairs("main", None)
FULL = tuple(f"g{number}.main" for number in range(MOST))


@pytest.mark.parametrize(
    ("seen", "own", "refused"),
    [
        pytest.param((), OWN, None, id="from-a-client"),
        pytest.param(("other.main",), OWN, None, id="from-another-gateway"),
        pytest.param((HERE.pair("fast"),), OWN, None, id="another-group-of-this-gateway"),
        pytest.param((HERE.pair("main"),), OWN, RefusalType.LOOP_DETECTED, id="back"),
        pytest.param(("a.b", HERE.pair("main"), "c.d"), OWN, RefusalType.LOOP_DETECTED, id="back-by-others"),
        pytest.param(
            (HERE.pair("fast"),), HERE.pairs("main", "fast"), RefusalType.LOOP_DETECTED, id="back-by-fallback"
        ),
        pytest.param(("a.b", "a.b"), OWN, RefusalType.LOOP_DETECTED, id="went-round-elsewhere"),
        pytest.param(FULL[1:], OWN, None, id="the-most"),
        pytest.param(FULL, OWN, RefusalType.LOOP_DETECTED, id="one-too-many"),
        pytest.param(FULL[1:], HERE.pairs("main", "fast"), RefusalType.LOOP_DETECTED, id="two-at-once"),
        pytest.param(None, OWN, RefusalType.INVALID_BODY, id="malformed"),
    ],
)
@pytest.mark.parametrize("to_child", [False, True], ids=["client", "child"])
def test_a_request_that_has_passed(
    seen: Hops | None, own: Hops, refused: RefusalType | None, to_child: bool
) -> None:
    """A pair that would be repeated ends it: 508 to a client, 400 to OptiLLM."""
    decided = hops.decide(seen, own, to_child=to_child)
    if refused is None:
        assert decided == Allow()
        return
    assert isinstance(decided, Refuse)
    assert decided.type is refused
    assert decided.status == (400 if to_child or refused is RefusalType.INVALID_BODY else 508)


# --- laws --------------------------------------------------------------------------------------------

GATEWAYS = [GatewayIdentity.of(f"secret-{number}", ROUTES) for number in range(3)]
PLACES = st.tuples(st.sampled_from(GATEWAYS), st.sampled_from(["main", "fast"]))


@given(way=st.lists(PLACES, max_size=40))
def test_every_way_ends_where_it_would_repeat_itself(way: list[tuple[GatewayIdentity, str]]) -> None:
    """Any way through any gateways is served up to its first repetition, and never goes on behind it."""
    seen: Hops = ()
    passed: set[str] = set()
    for identity, group in way:
        own = identity.pairs(group, group)
        decided = hops.decide(hops.read([hops.written(seen)]), own, to_child=False)
        assert (decided == Allow()) == (own[0] not in passed)
        if decided != Allow():
            return
        passed.update(own)
        seen = hops.joined(seen, own)
        assert len(seen) <= MOST


@given(values=st.lists(st.text(max_size=30) | st.sampled_from(["a.b", "c.d, e.f"]), max_size=4))
def test_no_header_breaks_the_rule(values: list[str]) -> None:
    """Whatever a client writes: pairs that may be written again, or malformed."""
    found = hops.read(values)
    hops.decide(found, OWN, to_child=False)
    if found is not None:
        assert hops.read([hops.written(found)]) == found
