"""Where a setting is: the key in its file, in YAML of every style, with anchors and included files."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.check import positions
from litellm_homelab.config import includes, yaml_text

TEXT = """\
base: &base {timeout: 60, retries: 1}
model_list:
  - model_name: one
    litellm_params:
      <<: *base
      retries: 2
  - {model_name: two, litellm_params: {"api.base": x}}
"""


@pytest.mark.parametrize(
    ("where", "line", "column"),
    [
        pytest.param("model_list", 2, 1, id="a section"),
        pytest.param("model_list[0]", 3, 5, id="an item"),
        pytest.param("model_list[0].litellm_params.timeout", 1, 14, id="what << brings"),
        pytest.param("model_list[0].litellm_params.retries", 6, 7, id="a key of its own before it"),
        pytest.param("model_list[1].litellm_params.api.base", 7, 40, id="a name with a dot"),
        pytest.param(
            "model_list[1].litellm_params.missing", 7, 23, id="what is not there: what is around it"
        ),
        pytest.param("nothing.at[0].all", 1, 1, id="nothing of it: the file"),
        pytest.param("", 1, 1, id="the file"),
    ],
)
def test_a_setting_has_its_place(where: str, line: int, column: int) -> None:
    """Line and column of its key, counted from 1."""
    mark = positions.read(TEXT, "router.yaml", yaml_text.load(TEXT)).of(where)
    assert (mark.file, mark.line, mark.column) == ("router.yaml", line, column)


def test_an_included_file_has_its_own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lists are appended, so the second file's first model is the third of all."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text(
        "model_list:\n- {model_name: b}\n- {model_name: c}\n", encoding="utf-8"
    )
    (tmp_path / "two.yaml").write_text(
        "\nmodel_list:\n  - {model_name: d}\nrouter_settings: {}\n", encoding="utf-8"
    )
    text = "include: [one.yaml, two.yaml]\nmodel_list: [{model_name: a}]\nrouter_settings: {}\n"
    document = yaml_text.load(text)
    included = includes.merged(document, Path("router.yaml")).files
    found = positions.read(text, "router.yaml", document, included)
    names = [f"model_list[{number}].model_name" for number in range(4)]
    places = [(found.of(one).file, found.of(one).line) for one in (*names, "router_settings")]
    assert places == [("router.yaml", 2), ("one.yaml", 2), ("one.yaml", 3), ("two.yaml", 3), ("two.yaml", 4)]
