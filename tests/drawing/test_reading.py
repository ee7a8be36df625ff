"""A file as the map reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.config.router_file import RouterFile
from litellm_homelab.drawing import marking, reading
from tests.drawing import lab


def backends(*changes: tuple[str, str], **environ: str) -> dict[str, str]:
    """The backend of each name."""
    return {one.group: backend for one, backend in lab.read(*changes, environ=environ).deployments()}


def test_a_server_has_the_name_that_the_page_gives_it() -> None:
    """A configured one its own, any other its origin, a cloud its provider; a variable has a `$`."""
    found = backends()
    assert found == {
        "main": "gpu",
        "boost": "http://loopback:8100",
        "base": "gpu",
        "exact": "$EXACT_API_BASE",
        "spare": "groq",
    }


def test_accounts_of_a_provider_are_counted() -> None:
    """Nothing of a key is on the map, not even a part of its hash."""
    second = (
        "openai/exact, api_base: os.environ/EXACT_API_BASE, api_key: none",
        "groq/exact, api_key: other-key",
    )
    assert (backends(second)["exact"], backends(second)["spare"]) == ("groq", "groq, key 2")


def test_a_password_in_an_address_is_not_on_the_map() -> None:
    """The host is."""
    assert backends(("[{main: [spare]}]", "[{main: [archive]}]"))["archive"] == "nas:8000"


def test_a_variable_that_is_set_is_an_address() -> None:
    """As LiteLLM resolves it."""
    assert backends(EXACT_API_BASE="http://gpu:8000/v1")["exact"] == "gpu"


def test_a_backend_that_is_named_by_the_same_variable_is_known() -> None:
    """Without its value: `at` and `api_base` are the same reference."""
    change = ("at: ['http://gpu:8000']", "at: [os.environ/EXACT_API_BASE]")
    assert backends(change)["exact"] == "gpu"


@pytest.mark.parametrize("url", ["http://127.0.0.1:4000/v1", "http://localhost:4000", "http://0.0.0.0:4000"])
def test_the_own_address_is_this_gateway(url: str) -> None:
    """In every spelling; the port is that of the environment."""
    change = ("os.environ/EXACT_API_BASE", f"'{url}'")
    assert backends(change)["exact"] == "this gateway"
    assert backends(change, PORT="4001")["exact"] == "http://loopback:4000"


def test_names_outside_of_the_showroom_are_there_where_something_leads_to_them() -> None:
    """A group is backroom, a name without a deployment missing; the others are not on the map."""
    assert "archive" not in lab.read().places
    chained = lab.read(("[{main: [spare]}]", "[{main: [spare, archive, nothing]}]")).places
    assert (chained["archive"], chained["nothing"]) == ("backroom", "missing")


def test_an_alias_leads_to_its_group() -> None:
    """Neither the alias nor a missing name is on the map."""
    aliased = ("router_settings:", "router_settings:\n  model_group_alias: {other: exact}")
    found = lab.read(aliased, ("[{main: [spare]}]", "[{main: [other]}]"))
    assert found.facts.shown.chains["main"] == ("exact",)
    assert "other" not in found.places


def test_a_model_in_a_variable_that_is_not_set() -> None:
    """What OptiLLM would call back is not known here."""
    found = lab.read(
        ("openai/base, api_base: 'http://127", "os.environ/OPTILLM_MODEL, api_base: 'http://127")
    )
    assert found.places["$OPTILLM_MODEL"] == "unset"
    assert found.facts.shown.calls_back == {"boost": ("$OPTILLM_MODEL",)}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("homelab: [", id="not YAML"),
        pytest.param("[]", id="a list"),
        pytest.param("homelab: {showroom: 5}\nmodel_list: []", id="shape"),
    ],
)
def test_what_cannot_be_read_is_no_map(text: str) -> None:
    """`check` says why."""
    assert reading.read(Path("router.yaml"), {}, text) is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The same."""
    assert reading.read(tmp_path / "router.yaml", {}) is None


def test_a_large_lab_asks_for_each_name_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain from each name to the next: the work grows with the names, not with their square times it."""
    number = 60
    entry = (
        "  - model_name: h{0}\n    litellm_params: {{model: openai/m, api_base: 'http://gpu:1', api_key: x}}"
    )
    chains = ", ".join(f"{{h{one}: [h{(one + 1) % number}]}}" for one in range(number))
    text = "\n".join(
        (
            f"homelab: {{showroom: {{handles: [{', '.join(f'h{one}' for one in range(number))}]}}}}",
            "model_list:",
            *(entry.format(one) for one in range(number)),
            f"router_settings: {{fallbacks: [{chains}]}}",
        )
    )
    asked = 0

    def sources(self: RouterFile, name: str) -> frozenset[str]:
        nonlocal asked
        asked += 1
        return original(self, name)

    original = RouterFile.sources
    found = reading.read(Path("router.yaml"), {}, text)
    assert found is not None
    monkeypatch.setattr(RouterFile, "sources", sources)
    again = reading.of_settings(found.settings, found.graph)
    assert len(marking.marked(again).map.edges) == 2 * number + 1
    assert asked == 2 * number
