"""The settings loader against golden files: one router.yaml each, good or bad, with what it must say."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.cli.environment import with_fresh_secrets
from litellm_homelab.config.loading import load, parse
from litellm_homelab.config.settings import Known, SettingsError

CASES = Path(__file__).parents[1] / "settings"
LINE = "----------\n"
"""What is above it goes in, what is below it comes out."""
SECTION = re.compile(r"^=== (.+)\n", re.MULTILINE)
KNOWN = Known(
    retry_policy=frozenset({"RateLimitErrorRetries", "TimeoutErrorRetries"}),
    allowed_fails_policy=frozenset({"TimeoutErrorAllowedFails"}),
    version="1.106.2",
    today=date(2026, 12, 1),
)


@dataclass
class Case:
    """
    A golden case: the router.yaml, then `=== <file>`, `=== link <path> -> <target>` and `=== env` sections.

    All files are relative to the folder of router.yaml.
    """

    router: str
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Case:
        """Read the upper half of a golden file."""
        router, *rest = SECTION.split(text)
        case = cls(router)
        for title, body in zip(rest[::2], rest[1::2], strict=True):
            if title == "env":
                case.environ = dict(line.split("=", 1) for line in body.splitlines())
            elif title.startswith("link "):
                path, target = title.removeprefix("link ").split(" -> ")
                case.links[path] = target
            else:
                case.files[title] = body
        return case

    def write(self, folder: Path) -> None:
        """Put the files and links where router.yaml is."""
        for name, body in {"router.yaml": self.router, **self.files}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(body, encoding="utf-8")
        for name, target in self.links.items():
            (folder / name).symlink_to(target)


def outcome(case: Case) -> str:
    """What the lower half of a golden file must be."""
    try:
        settings = load("config/router.yaml", environ=case.environ, known=KNOWN)
    except SettingsError as error:
        return f"{error}\n"
    showroom = settings.homelab.showroom
    lists = {"handles": settings.handles, "hidden": showroom.hidden, "internal": showroom.internal}
    said = [f"{which}: {', '.join(names)}\n" for which, names in lists.items() if names]
    return "".join(["ok\n", *said, *(f"warning: {warning}\n" for warning in settings.warnings)])


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_router_yaml_gives_exactly_what_its_golden_file_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good file gives its names, a bad one every problem, word for word."""
    given, expected = path.read_text(encoding="utf-8").split(f"\n{LINE}")
    case = Case.of(f"{given}\n")
    case.write(tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    assert outcome(case).replace(str(tmp_path.resolve()), "<here>") == expected


def test_the_golden_files_are_found() -> None:
    """An empty folder of cases would pass without a word; there is at least one for each kind of mistake."""
    stems = [path.stem for path in CASES.glob("*.txt")]
    assert len(stems) >= 32
    assert {stem.startswith("ok_") for stem in stems} == {True, False}


SHIPPED = Path(__file__).parents[2] / "config"


def example_environment() -> dict[str, str]:
    """The variables of env.example with fresh secrets, as `make run` puts them into env.local."""
    text = with_fresh_secrets((SHIPPED / "env.example").read_text(encoding="utf-8"))
    lines = text.splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_shipped_configuration_is_clean() -> None:
    """config/router.yaml with config/env.example loads clean, judged by what LiteLLM knows."""
    from litellm_homelab.adapter.startup import known

    settings = load(SHIPPED / "router.yaml", environ=example_environment(), known=known())
    assert settings.handles[:6] == ("main", "deep", "fast", "swap", "boost", "embed")
    assert settings.registry.keys() <= {one.upstream_model for one in settings.router.deployments}


def test_every_variable_of_the_shipped_router_yaml_has_an_example() -> None:
    """Without any environment each missing variable is named, and each of them stands in env.example."""
    with pytest.raises(SettingsError) as caught:
        load(SHIPPED / "router.yaml", environ={})
    named = re.findall(r"the environment variable (\w+) is not set$", str(caught.value), re.MULTILINE)
    assert len(named) == len(caught.value.problems) > 0
    assert set(named) <= example_environment().keys()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: None, "No such file or directory", id="missing"),
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="a folder"),
        pytest.param(
            lambda path: path.write_bytes(b"\xff\xfe\x00"), "'utf-8' codec can't decode", id="binary"
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_too(
    make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    """A router.yaml that is not there or not text is reported like any other mistake."""
    path = tmp_path / "router.yaml"
    make(path)
    with pytest.raises(SettingsError, match=f"^{re.escape(str(path))}: not readable: {reason}"):
        load(path, environ={})


def test_the_process_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `environ` the variables of this process count, as they do for LiteLLM."""
    case = Case.of((CASES / "ok_environment.txt").read_text(encoding="utf-8").split(f"\n{LINE}")[0] + "\n")
    case.write(tmp_path)
    for name, value in case.environ.items():
        monkeypatch.setenv(name, value)
    assert load(tmp_path / "router.yaml").handles == ("main", "deep")


@given(text=st.text())
def test_no_text_makes_the_loader_break(text: str) -> None:
    """Whatever stands in the file, the answer is settings or a list of problems."""
    with contextlib.suppress(SettingsError):
        parse(text, path="router.yaml", environ={}, known=Known())


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("homelab", "model_list", "router_settings", "litellm_settings", "general_settings", "include")
INNER = (
    *("showroom", "handles", "hidden", "internal", "roots", "model_name", "litellm_params", "model_info"),
    *("callbacks", "success_callback", "fallbacks", "default_fallbacks", "retry_policy", "model_group_alias"),
    *("model_group_retry_policy", "allowed_fails_policy"),
)
SECTIONS = st.dictionaries(
    st.sampled_from(KEYS),
    YAML
    | st.dictionaries(
        st.sampled_from(INNER), YAML | st.dictionaries(st.sampled_from(INNER), YAML, max_size=4)
    )
    | st.lists(st.dictionaries(st.sampled_from(INNER), YAML, max_size=3), max_size=3),
)


@given(document=SECTIONS)
def test_no_shape_of_a_section_makes_the_loader_break(document: object) -> None:
    """A known key with a value of any shape gives problems, never an exception of another kind."""
    with contextlib.suppress(SettingsError):
        parse(json.dumps(document), path="router.yaml", environ={}, known=KNOWN)
