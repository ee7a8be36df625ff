"""`sync` on hand-commented files: the intended lines change, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.adopt.edits import CannotEdit
from litellm_homelab.sync.synchronise import NothingToSync
from tests.sync.golden import EXPECTED, copied, folders, synced, text_of

LAB = """\
model_list:
  - model_name: main
    litellm_params: {model: lm_studio/mlx-a-7b-x, api_base: 'http://127.0.0.1:8000/v1', api_key: none}
homelab:
  showroom: {handles: [main], registry: registry.json, roots: [/srv]}
litellm_settings: {callbacks: [litellm_homelab.plugin]}
"""
REGISTRY = {"version": 2, "models": {"mlx-a-7b-x": {"cache_path": "/srv/a", "context_length": 10}}}


@pytest.mark.parametrize("case", [pytest.param(one, id=one.name) for one in folders()])
def test_a_file_is_changed_as_its_case_says(case: Path, tmp_path: Path) -> None:
    """Diff, notes and what is left to do, word for word; a second run changes nothing."""
    path = copied(case, tmp_path)
    found = synced(path)
    assert text_of(found) == (case / EXPECTED).read_text(encoding="utf-8")
    path.write_text(found.after, encoding="utf-8")
    assert synced(path).after == found.after


def lab(folder: Path, text: str = LAB, registry: object = REGISTRY) -> Path:
    """A router.yaml with its registry."""
    path = folder / "router.yaml"
    path.write_bytes(text.encode())
    (folder / "registry.json").write_text(json.dumps(registry), encoding="utf-8")
    return path


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    """The changed lines have them too."""
    found = synced(lab(tmp_path, LAB.replace("\n", "\r\n")))
    assert found.after != found.before
    assert found.after.count("\n") == found.after.count("\r\n")


def test_a_value_that_another_part_shares_is_not_changed(tmp_path: Path) -> None:
    """An anchored `model_info` is that of another deployment as well: the file is refused as it is."""
    other = "litellm_params: {model: openai/x, api_key: k}"
    text = LAB.replace(
        "model_list:\n  - model_name: main\n",
        f"model_list:\n  - {{model_name: other, {other}, model_info: &info {{mode: chat}}}}\n"
        "  - model_name: main\n    model_info: *info\n",
    )
    with pytest.raises(CannotEdit, match="by hand"):
        synced(lab(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "registry", "said"),
    [
        pytest.param("a: [", REGISTRY, "not readable", id="not YAML"),
        pytest.param("[a]", REGISTRY, "expected a mapping", id="a list"),
        pytest.param("model_list: []", REGISTRY, "--registry FILE", id="no source"),
        pytest.param(LAB, {"version": 1}, "version: expected 2", id="another version"),
        pytest.param(LAB, {"version": 2, "models": {"a": 5}}, r"models\.a", id="an entry"),
    ],
)
def test_a_source_that_cannot_be_read_changes_nothing(
    text: str, registry: object, said: str, tmp_path: Path
) -> None:
    """Half a registry would look like models that are gone."""
    with pytest.raises(ValueError, match=said):
        synced(lab(tmp_path, text, registry))


def test_a_registry_that_is_missing_changes_nothing(tmp_path: Path) -> None:
    """Its name is in the message."""
    path = lab(tmp_path)
    (tmp_path / "registry.json").unlink()
    with pytest.raises(NothingToSync, match=r"registry\.json: No such file"):
        synced(path)


NAMES = ("mlx-a-7b-x", "mlx-b-7b-x", "mlx-c-7b-x", "other")
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["main", "fast", *NAMES]), st.sampled_from(NAMES), st.booleans(), st.booleans()
    ),
    min_size=1,
    max_size=5,
)
MODELS = st.dictionaries(st.sampled_from(NAMES[:3]), st.integers(1, 9), max_size=3)


def written(entries: list[tuple[str, str, bool, bool]]) -> list[tuple[str, str]]:
    """
    The lines of a router.yaml with a comment at every one, each with the group that it is of.

    The two switches of an entry say whether it is in flow style, and whether it has a limit.
    """
    lines = [("# The lab.", ""), ("model_list:  # all of them", ""), ("", "")]
    for number, (group, model, flow, limited) in enumerate(entries):
        params = {"model": f"lm_studio/{model}", "api_base": "http://127.0.0.1:8000/v1", "api_key": "none"}
        entry: dict[str, Any] = {"model_name": group, "litellm_params": params}
        entry |= {"model_info": {"mode": "chat", "max_input_tokens": 5}} if limited else {}
        block = yaml.safe_dump(
            [entry], sort_keys=False, default_flow_style=None if flow else False, width=500
        )
        lines.append((f"  # {number}: before", ""))
        lines += [(f"  {one}  # kept", group) for one in block.splitlines()]
    lines += [("", ""), ("homelab:", ""), ("  showroom:", ""), ("    handles:  # in this order", "")]
    lines += [(f"      - {one}  # shown", one) for one in dict.fromkeys(group for group, *_ in entries)]
    return [*lines, ("    registry: registry.json", ""), ("    roots: [/srv]", ""), ("# The end.", "")]


@settings(max_examples=30)
@given(entries=ENTRIES, models=MODELS)
def test_only_intended_lines_change(
    entries: list[tuple[str, str, bool, bool]],
    models: dict[str, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """
    Whatever the file and the registry: a line that goes has a limit in it, or is of a model that is gone.

    Every other line stays, in its order, and a second run changes nothing.
    """
    registry = {name: {"cache_path": "/srv/x", "context_length": value} for name, value in models.items()}
    lines = written(entries)
    text = "".join(f"{line}\n" for line, _ in lines)
    path = lab(tmp_path_factory.mktemp("any"), text, {"version": 2, "models": registry})
    found = synced(path)
    served = {group for group, model, _, _ in entries if model in models}
    gone = set(NAMES[:3]) - models.keys() - served
    stay = [line for line, group in lines if line and group not in gone and "max_input_tokens" not in line]
    if gone >= {group for group, *_ in entries}:  # nothing is left to show
        stay = [line for line in stay if not line.lstrip().startswith(("handles:", "model_list:"))]
    after = iter(found.after.splitlines())
    assert [line for line in stay if not any(line == one for one in after)] == []
    assert {one for one in gone if f"model_name: {one}" in found.after} == set()
    path.write_text(found.after, encoding="utf-8")
    assert synced(path).after == found.after
