"""`sync` on any file: a second run changes nothing, comments and order stay, odd shapes get a message."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.config.settings import Known
from litellm_homelab.sync import backends
from litellm_homelab.sync.synchronise import Synchronised, SyncRequest, synchronise

MODELS = ("mlx-a-7b-x", "mlx-b-7b-x", "mlx-c-7b-x", "other")
GROUPS = ("main", "fast", "think", "plan", *MODELS[:3])
MARK = "  # of ensembles.jsonl"
BASES = ("http://127.0.0.1:8000/v1", "http://localhost:8000", "os.environ/UNSET")
DEPLOYMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "group": st.sampled_from(GROUPS),
            "model": st.sampled_from([*GROUPS, "other", "os.environ/UNSET"]),
            "base": st.sampled_from(BASES),
            "info": st.sampled_from(
                [None, {}, {"max_input_tokens": 5}, {"max_input_tokens": "os.environ/N"}]
            ),
            "mark": st.sampled_from(["", "", MARK, "  # the first of ensembles.jsonl"]),
            "included": st.sampled_from([False, False, False, True]),
        }
    ),
    min_size=1,
    max_size=5,
)
ENSEMBLES = st.none() | st.lists(
    st.tuples(
        st.sampled_from(GROUPS), st.sampled_from(["moa", "bon", "re2"]), st.sampled_from(GROUPS)
    ).filter(lambda one: one[0] != one[2]),
    max_size=3,
    unique_by=lambda one: one[0],
)
REGISTRY = st.dictionaries(st.sampled_from(MODELS[:3]), st.integers(1, 9), max_size=3)
LANES = st.dictionaries(
    st.sampled_from(GROUPS),
    st.sampled_from([None, {"approaches": ["moa"]}, {"approaches": ["bon", "none"], "default": "bon"}]),
    max_size=3,
)
OFF = st.sampled_from([{}, {}, {"carrier": "off"}])
NAMED = st.sampled_from(
    [
        {},
        {"fallbacks": [{"main": ["mlx-a-7b-x"]}]},
        {"fallbacks": [{"mlx-a-7b-x": ["mlx-b-7b-x"]}], "model_group_alias": {"think": "main"}},
    ]
)


def lines_of(number: int, one: dict[str, Any]) -> str:
    """An entry of `model_list` with a comment before it and within it."""
    model = one["model"] if one["model"].startswith("os.environ/") else f"lm_studio/{one['model']}"
    info = "" if one["info"] is None else f"  model_info: {json.dumps(one['info'])}  # {number} info\n"
    return (
        f"# {number} before\n- model_name: {one['group']}{one['mark']}\n  litellm_params:\n"
        f"    model: {model}\n    # {number} within\n    api_base: {one['base']}\n    api_key: none\n{info}"
    )


def written(folder: Path, models: list[dict[str, Any]], lanes: dict[str, Any], settings: object) -> Path:
    """A router.yaml, half of whose models may be in a file that it includes."""
    own = [one for one in models if not one["included"]]
    others = [one for one in models if one["included"]]
    text = "# top\nmodel_list:\n" + "".join(lines_of(*one) for one in enumerate(own)) + "# after\n"
    if others:
        text = f"include: [more.yaml]\n{text}"
        entries = "".join(lines_of(*one) for one in enumerate(others))
        (folder / "more.yaml").write_text(f"model_list:\n{entries}", encoding="utf-8")
    names = [*dict.fromkeys(one["group"] for one in models)]
    text += f"homelab:\n  showroom:\n    handles: {json.dumps(names)}  # shown\n    registry: registry.json\n"
    text += (
        f"    roots: [/srv]\n  optillm: {json.dumps(lanes)}\nrouter_settings: {json.dumps(settings)}\n# end\n"
    )
    path = folder / "router.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def synced(path: Path) -> Synchronised:
    """What `sync` makes of it, which is written."""
    found = synchronise(SyncRequest(path), {}, Known(version="1.108.7"))
    path.write_text(found.after, encoding="utf-8")
    return found


def names(text: str) -> list[str]:
    """Groups in the order of the file."""
    return [one["model_name"] for one in yaml.safe_load(text).get("model_list") or ()]


@settings(max_examples=60)
@given(
    models=DEPLOYMENTS,
    lanes=LANES,
    off=OFF,
    router=NAMED,
    registry=REGISTRY,
    ensembles=ENSEMBLES,
)
def test_a_synchronised_file_stays_as_it_is(
    models: list[dict[str, Any]],
    lanes: dict[str, Any],
    off: dict[str, str],
    router: dict[str, Any],
    registry: dict[str, int],
    ensembles: list[tuple[str, str, str]] | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The second run has an empty diff and says of nothing that it changes; comments and order stay."""
    folder = tmp_path_factory.mktemp("any")
    path = written(folder, models, {name: one and {**one, **off} for name, one in lanes.items()}, router)
    entries = {name: {"cache_path": "/srv/x", "context_length": value} for name, value in registry.items()}
    (folder / "registry.json").write_text(json.dumps({"version": 2, "models": entries}), encoding="utf-8")
    if ensembles is not None:
        rows = (json.dumps({"handle": one, "approach": two, "base": three}) for one, two, three in ensembles)
        (folder / "ensembles.jsonl").write_text("\n".join(rows), encoding="utf-8")
    first = synced(path)
    again = synced(path)
    assert again.after == first.after
    assert [one for one in again.notes if one.startswith(("changed", "added", "gone"))] == []
    gone = {one.split("'")[1] for one in first.notes if one.startswith("gone")}
    kept = [one for one in names(first.before) if one not in gone]
    assert names(first.after)[: len(kept)] == kept
    shown = ["# shown"] if "handles:" in first.after else []
    assert [one for one in ("# top", "# end", *shown) if one not in first.after] == []
    own = [one for one in models if not one["included"]]
    for number, one in enumerate(own):
        if one["group"] not in gone:
            assert f"# {number} before\n" in first.after
            assert f"# {number} within\n" in first.after


# --- odd shapes -------------------------------------------------------------------------------------

ROUTER: dict[str, Any] = {
    "model_list": [
        {
            "model_name": "main",
            "litellm_params": {"model": "lm_studio/mlx-a-7b-x", "api_base": BASES[0], "api_key": "none"},
            "model_info": {"mode": "chat", "max_input_tokens": 5},
        },
        {
            "model_name": "think",
            "litellm_params": {"model": "lm_studio/main", "api_base": "http://127.0.0.1:8010/v1"},
        },
    ],
    "include": ["more.yaml"],
    "router_settings": {"fallbacks": [{"main": ["think"]}], "model_group_alias": {"best": "main"}},
    "homelab": {
        "showroom": {
            "handles": ["main", "think"],
            "hidden": ["mlx-b-7b-x"],
            "internal": ["x"],
            "registry": "registry.json",
            "handles_file": "handles.jsonl",
            "roots": ["/srv"],
        },
        "optillm": {"think": {"approaches": ["bon"], "default": "bon", "carrier": "model"}},
        "backends": {"far": {"at": ["http://10.0.0.9"], "kind": "cloud"}},
    },
}
FILES: dict[str, Any] = {
    "router.yaml": ROUTER,
    "more.yaml": {"model_list": [{"model_name": "far", "litellm_params": {"model": "lm_studio/mlx-b-7b-x"}}]},
    "registry.json": {
        "version": 2,
        "models": {"mlx-c-7b-x": {"cache_path": "/srv/c", "context_length": 9, "api_base": BASES[0]}},
    },
    "ensembles.jsonl": {"handle": "think", "approach": "moa", "base": "main"},
    "handles.jsonl": {"handle": "fast"},
}
ODD: dict[str, Any] = {
    "null": None,
    "a number": 5,
    "a large number": 10**400,
    "true": True,
    "a string": "text",
    "a NUL": "a\0b",
    "a lone surrogate": "\ud800",
    "an unset variable": "os.environ/UNSET",
    "an empty list": [],
    "a list": [5, None, ["x"], {"a": 1}],
    "an empty mapping": {},
    "a mapping": {"a": 5, "main": None},
}


def places(content: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value of a document."""
    yield path
    if isinstance(content, dict):
        for key, value in content.items():
            yield from places(value, (*path, key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from places(value, (*path, number))


def replaced(content: Any, path: tuple[Any, ...], value: object) -> Any:
    """A copy with another value at a path."""
    if not path:
        return value
    found = copy.deepcopy(content)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


def text_of(name: str, content: object) -> bytes:
    """A document as its file has it."""
    text = yaml.safe_dump(content) if name.endswith(".yaml") else json.dumps(content)
    return text.encode("utf-8", "surrogatepass")


def outcome(path: Path) -> str:
    """What `sync` and `--from-backends` say; any error but the two that are expected ends the test."""
    said = []
    try:
        found = synchronise(SyncRequest(path), {}, Known(version="1.108.7"))
        said += [*found.notes, *found.left, found.after]
    except (OSError, ValueError) as error:
        said.append(str(error))
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"data": []})))
    try:
        said += [str(backends.drafted(path, {}, client))]
    except (OSError, ValueError) as error:
        said.append(str(error))
    return "\n".join(said)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", FILES)
def test_no_shape_of_a_file_breaks_it(name: str, odd: str, tmp_path: Path) -> None:
    """Whatever is in the place of a value: the run goes on, or ends with a message."""
    for path in places(FILES[name]):
        for file, content in FILES.items():
            (tmp_path / file).write_bytes(text_of(file, content))
        changed = replaced(FILES[name], path, ODD[odd])
        (tmp_path / name).write_bytes(text_of(name, changed))
        assert outcome(tmp_path / "router.yaml")


WRONG = {
    "model_list": "model_list: expected a list, got 'text'; write one entry for each deployment",
    "model_list.0": "model_list[0]: expected a mapping, got 'text'; write `model_name: NAME` and",
    "model_list.0.litellm_params": "model_list[0].litellm_params: expected a mapping, got 'text'; write",
    "model_list.0.model_info": "model_list[0].model_info: expected a mapping, got 'text'; write `{mode",
    "homelab": "homelab: expected a mapping, got 'text'; `litellm-homelab init` drafts one",
    "homelab.showroom": "homelab.showroom: expected a mapping, got 'text'; write `{handles: [NAME]}`",
    "homelab.showroom.roots": "homelab.showroom.roots: expected a list, got 'text'; write `[FOLDER]`",
    "homelab.optillm": "homelab.optillm: expected a mapping, got 'text'; write `NAME: {approaches: [moa]",
    "homelab.optillm.think": "homelab.optillm.think: expected a mapping, got 'text'; write",
    "homelab.backends.far.at": "homelab.backends.far.at: expected a list, got 'text'; write `[http",
}


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_shape_is_said_with_its_place(path: str, tmp_path: Path) -> None:
    """What is expected, what is there, and what to write."""
    for file, content in FILES.items():
        (tmp_path / file).write_bytes(text_of(file, content))
    keys = tuple(int(one) if one.isdigit() else one for one in path.split("."))
    (tmp_path / "router.yaml").write_bytes(text_of("router.yaml", replaced(ROUTER, keys, "text")))
    assert WRONG[path] in outcome(tmp_path / "router.yaml")
