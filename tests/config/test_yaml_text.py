"""Reading YAML: what PyYAML would take too long for, or raise something else about."""

from __future__ import annotations

import os
import random
import string
from typing import Any

import pytest
import yaml

from litellm_homelab.config import loading, yaml_text
from litellm_homelab.config.settings import Known, SettingsError
from litellm_homelab.config.yaml_text import DEEPEST, NotReadable, load
from tests.fuzz import mutations, steps


def bomb(lines: int, aliases: int = 9) -> str:
    """Each line repeats the one before `aliases` times: 9 lines are 400 bytes and 9**9 values."""
    first = f"a0: &a0 [{', '.join('x' * aliases)}]"
    rest = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * aliases)}]" for n in range(1, lines))
    return "\n".join([first, *rest])


@pytest.mark.parametrize("lines", [7, 12, 40])
def test_an_alias_bomb_is_refused_before_it_grows(lines: int) -> None:
    """The work depends on the length of the text and not on what it would become."""
    text = bomb(lines)

    def refused() -> None:
        with pytest.raises(NotReadable, match="aliases repeat more than 100000 values"):
            load(text)

    assert steps(refused, limit=400 * len(text) + 10_000)


@pytest.mark.parametrize("size", [200, 400, 800])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: "".join(f"key{i}: {i}\n" for i in range(n)), id="keys"),
        pytest.param(lambda n: "a: &a [x, y]\n" + "".join(f"b{i}: *a\n" for i in range(n)), id="aliases"),
        pytest.param(
            lambda n: "a: &a {x: 1}\n" + "".join(f"b{i}: {{<<: *a}}\n" for i in range(n)), id="merges"
        ),
        pytest.param(lambda n: "[" * n, id="nested"),
        pytest.param(lambda n: "a: " + "1:" * n + "1", id="sexagesimal"),
    ],
)
def test_work_is_linear_in_the_text(make: Any, size: int) -> None:
    """Twice the text is at most a little more than twice the steps."""

    def work(text: str) -> int:
        def read() -> None:
            try:
                load(text)
            except NotReadable:
                return

        return steps(read)

    assert work(make(2 * size)) < 2.5 * work(make(size)) + 20_000


def test_aliases_of_ordinary_files_are_read() -> None:
    """Anchors and merges mean what they mean to PyYAML."""
    text = "a: &a {x: 1, y: [2, 3]}\nb: {<<: *a, x: 4}\nc: [*a, *a]\n"
    assert load(text) == yaml.safe_load(text)


NOT_A_LIST = "a key must be a string or a number, not a list or a mapping"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('!!int ""', "line 1, column 1: not a valid int"),
        ("a: !!bool x", "line 1, column 4: not a valid bool"),
        ("a: !!timestamp x", "line 1, column 4: not a valid timestamp"),
        ("a: 2026-13-45", "line 1, column 4: not a valid timestamp"),
        ("a: !!float x", "line 1, column 4: not a valid float"),
        ("a: " + "9" * 5000, "line 1, column 4: not a valid int"),
        ("a: &a [*a]", "line 1, column 8: an alias repeats the value that it is part of"),
        ("[" * (DEEPEST + 1), f"line 1, column {DEEPEST + 1}: nested more than {DEEPEST} levels deep"),
        ("? [a]\n: b", "line 1, column 3: " + NOT_A_LIST),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: duplicate key 'a'; remove one"),
        ("!!map x", "line 1, column 1: expected a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str) -> None:
    """Every mistake is a NotReadable, whatever PyYAML itself would raise."""
    with pytest.raises(NotReadable) as caught:
        load(text)
    assert str(caught.value) == problem


KEYS = (
    *("sk-proj-Ab3dEf6hIj9lMn2p", "sk-planted-secret-1", "gsk_Ab3dEf6hIj9lMn2pQr5t", "hf_abcdefghijklmnop"),
    *("AIzaSyAb3dEf6hIj9lMn2pQr5t", "ghp_Ab3dEf6hIj9lMn2pQr5t", "0123456789abcdef0123456789abcdef"),
)
FORMS = (
    *("callers: {web: {key @}}", "callers: {web: {key:@}}", "callers: {web: @}", "callers: {@: {}}", "@: x"),
    *("callers: [@]", "callers: {web: {key: [@]}}", "callers: {web: {key: {@: x}}}", "key @: x", "state: @"),
    *(
        "callers: {web: {@: x, @: y}}",
        "callers: {web: {key: !@ x}}",
        "callers: {web: {key: *@}}",
        "secret: [@]",
    ),
    *("callers: {web: {key: x, role: @}}", "callers: {web: {key: x, handles: @}}", "gate: {open: [@]}"),
    *("callers: {web: {key: x, handles: [@], routes: [@]}}", "optillm: {@: {approaches: [@]}}", "limits: @"),
    *(
        "limits: {body_mb: @, @: 1}",
        "state: redis:/user:@@host/0",
        "state: redis://user:@@host",
        "state: @://x",
    ),
    *("callers: {web: {key: !!int @}}", "callers: {web: {key: os.environ/@}}", "secret: !!timestamp @"),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:6])
def test_a_key_is_never_repeated(form: str, key: str) -> None:
    """Wherever a key was put by mistake, the problems name the place and not the key."""
    text = f"homelab:\n  showroom: {{handles: [main]}}\n  {form.replace('@@', '<@>').replace('@', key)}\n"
    with pytest.raises(SettingsError) as caught:
        loading.parse(text.replace(f"<{key}>", f"{key}@"), path="router.yaml", environ={}, known=Known())
    assert key not in str(caught.value)


def test_no_slip_around_a_key_shows_it() -> None:
    """The same for 3,000 random slips in the lines around a key, which stays whole."""
    chance = random.Random(0)
    seeds = [form.replace("@", "\x01") for form in FORMS if "@@" not in form]
    for text in mutations(seeds, 3_000):
        key = "sk-" + "".join(chance.choices(string.ascii_letters + string.digits, k=20))
        router = "homelab:\n  showroom: {handles: [main]}\n  " + text.replace("\x01", key)
        try:
            loading.parse(router, path="router.yaml", environ={}, known=Known())
        except SettingsError as error:
            said = str(error)
            assert key not in said, (text, said)
        except Exception as error:
            raise AssertionError(text) from error


def test_the_loader_does_not_wait_for_a_pipe(tmp_path: Any) -> None:
    """A named pipe that nobody writes to is a problem, and no start that hangs."""
    os.mkfifo(tmp_path / "router.yaml")
    with pytest.raises(SettingsError, match=r"not readable: not a regular file$"):
        loading.load(tmp_path / "router.yaml", environ={})


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 5000])
def test_a_path_that_cannot_be_is_a_problem(path: str) -> None:
    """A path with a NUL, a lone surrogate, or of more than a name's length."""
    with pytest.raises(SettingsError, match="not readable: "):
        loading.load(path, environ={})


def test_a_deep_caller_gets_an_answer_too() -> None:
    """Where little of the stack is left, a nested text is NotReadable, not a RecursionError."""

    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        else:
            with pytest.raises(NotReadable):
                yaml_text.load("[" * 60 + "x" + "]" * 60 + "\n}")

    deep(600)
