"""docs/extension-points.md shows all that the package declares, and the check for it can fail."""

from __future__ import annotations

import pytest

from tests.docs import declared, extension_points, sources

TEXT = extension_points.PAGE.read_text(encoding="utf-8")
HOOKS, SETTINGS = declared.hook_methods(), list(declared.settings())


def test_the_page_is_complete() -> None:
    """Every hook, rule, setting, refusal, header and metric is there, and every test it names exists."""
    assert "\n".join(extension_points.complaints(TEXT)) == ""


@pytest.mark.parametrize("hook", [pytest.param(hook, id=f"{hook.owner}.{hook.name}") for hook in HOOKS])
def test_a_missing_hook_is_seen(hook: declared.Hook) -> None:
    """Without its signature, or with another one, a hook is missing."""
    for other in ("", f"{hook.name}(something_else)"):
        _complains(TEXT.replace(hook.signature, other), hook.signature)


@pytest.mark.parametrize("rule", declared.rules())
def test_a_missing_rule_is_seen(rule: str) -> None:
    """Without its name a rule is missing."""
    _complains(TEXT.replace(f"`{rule}`", "`something.else`"), rule)


@pytest.mark.parametrize("setting", [pytest.param(setting, id=setting.path) for setting in SETTINGS])
def test_a_missing_or_wrong_setting_is_seen(setting: declared.Setting) -> None:
    """Without its row, or with another type or default there, a setting is missing."""
    path, kind, default = f"| `{setting.path}` |", f" {setting.type} |", f" {setting.default} |"
    row = f"{path}{kind}{default}"
    for other in ("| ", f"{path} something else |{default}", f"{path}{kind} something else |"):
        _complains(TEXT.replace(row, other), setting.path)


@pytest.mark.parametrize(("kind", "status"), sources.refusals())
def test_a_missing_or_wrong_refusal_is_seen(kind: str, status: int) -> None:
    """Without its row, or with another status there, a refusal is missing."""
    for other in ("", f"| `{kind}` | 418 |"):
        _complains(TEXT.replace(f"| `{kind}` | {status} |", other), kind)


@pytest.mark.parametrize("wording", [pytest.param(one, id=one.place) for one in sources.wordings()])
def test_a_missing_wording_is_seen(wording: sources.Wording) -> None:
    """Without its longest part a refusal's wording is missing."""
    _complains(TEXT.replace(max(wording.parts, key=len), "something else"), wording.place)


@pytest.mark.parametrize("name", [*sources.metrics(), *sources.headers(), *declared.entry_points()])
def test_a_missing_metric_header_or_entry_point_is_seen(name: str) -> None:
    """Without its name it is missing."""
    _complains(TEXT.replace(name, "something_else"), name)


@pytest.mark.parametrize(
    ("addition", "complaint"),
    [
        pytest.param("`tests/hooks/test_gone.py`", "tests/hooks/test_gone.py", id="test file"),
        pytest.param("`tests/naming.py::test_gone`", "tests/naming.py::test_gone", id="test"),
        pytest.param("`hooks/gone.py`", "hooks/gone.py", id="file"),
    ],
)
def test_a_reference_to_nothing_is_seen(addition: str, complaint: str) -> None:
    """A test or a file that the page names has to be there."""
    _complains(f"{TEXT}\n{addition}\n", complaint)


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        pytest.param("LiteLLM 1.106.0 to 1.110.2", "names no version", id="version"),
        pytest.param("`adapter/litellm_api/exceptions.py`", "names no file", id="place"),
        pytest.param("`tests/docs/test_traps.py::test_no_key_is_a_401`", "names no test", id="test"),
    ],
)
def test_a_trap_without_version_place_or_test_is_seen(cell: str, complaint: str) -> None:
    """A trap is told with the version it was seen on, our place, and the test that watches it."""
    _complains(TEXT.replace(f"| {cell} |", "| somewhere |"), complaint)


def test_a_metric_is_found_however_it_is_declared() -> None:
    """Names of metrics are read from a source's texts, whether in calls or in a table."""
    source = (
        'A = Counter("homelab_refusals_total", "help")\nB = {"name": "homelab_children"}\nC = "homelab"\n'
    )
    assert sources.metric_names(source) == {"homelab_refusals_total", "homelab_children"}


def _complains(text: str, about: str) -> None:
    """Something missing is seen; where the page lacks it anyway, `test_the_page_is_complete` tells."""
    assert any(about in complaint for complaint in extension_points.complaints(text)), about
