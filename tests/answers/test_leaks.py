"""No planted secret, host, path, name or version survives, and each removal is needed for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from litellm_homelab.adapter.litellm_api import client_error
from litellm_homelab.answers import errors, headers, shapes
from litellm_homelab.answers.redaction import STEPS, WRAPPERS
from litellm_homelab.answers.routes import answers_of
from litellm_homelab.answers.shapes import Rule, Shape, content
from litellm_homelab.formats import sse
from tests.answers import hostile, leaving
from tests.answers.hostile import ROUTES, Maker

FAILED = 400
SEEDS = 20
EACH = 5_000
"""Together 100,000 answers (issue 9, done when 5)."""
MOST = 6_000
"""Answers within which a removal that is switched off must show."""


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Texts are cleaned anew, with the rules of the test."""
    leaving.clean.cache_clear()
    yield
    leaving.clean.cache_clear()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_secret_of_an_upstream_leaves(seed: int) -> None:
    """Bodies, headers, events and errors of every route; and what the model said arrives."""
    answers = list(hostile.answers(seed, EACH))
    for answer, (status, output) in zip(answers, leaving.all_left(answers), strict=True):
        assert hostile.seen(output) == [], (answer, output)
        if status < FAILED:
            assert all(said in output for said in answer.said), (answer, output)


def test_pieces_make_no_difference() -> None:
    """However an answer's bytes are torn, the same leaves; but a frame without data begins the stream."""
    for answer in hostile.answers(1, 300):
        if not answer.body.startswith((b":", b"zqfield")):
            assert leaving.left_in_pieces(answer) == leaving.left(answer), answer


def shapes_by_name() -> dict[str, tuple[Shape, str]]:
    """Every shape, with a route that has it."""
    found: dict[str, tuple[Shape, str]] = {}

    def visit(rule: Rule, path: str) -> None:
        if isinstance(rule, Shape) and not any(rule is known for known, _ in found.values()):
            found[f"{rule.name}, {path}"] = (rule, path)
            for inner in rule.fields.values():
                visit(inner, path)

    for path in ROUTES:
        answers = answers_of(path)
        assert answers is not None
        visit(answers.whole, path)
        visit(answers.event, path)
    return found


def leaks(paths: list[str | None], seed: int = 7) -> bool:
    """Whether a secret leaves within so many answers."""
    maker, step = Maker(seed), 200
    for _ in range(0, MOST, step):
        answers = [maker.answer(paths[number % len(paths)]) for number in range(step)]
        if any(hostile.seen(output) for _, output in leaving.all_left(answers)):
            return True
    return False


class Open(dict[str, Rule]):
    """Fields of a shape that lets everything pass."""

    def get(self, key: str, default: object = None) -> Rule:
        """Whatever the field, there is a rule for it."""
        return super().get(key) or content


@pytest.mark.parametrize("name", sorted(shapes_by_name()))
def test_each_allow_list_is_needed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A shape that lets unknown fields pass leaks."""
    shape, path = shapes_by_name()[name]
    monkeypatch.setattr(shape, "fields", Open(shape.fields))
    assert leaks([path])


@pytest.mark.parametrize(
    "rule", ["number", "numbers", "word", "label", "text", "identifier", "model", "error"]
)
def test_each_rule_for_values_is_needed(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """A rule that lets every value pass leaks."""
    replaced = getattr(shapes, rule)
    for shape, _ in shapes_by_name().values():
        fields = {name: content if known is replaced else known for name, known in shape.fields.items()}
        monkeypatch.setattr(shape, "fields", fields)
    # What is made is still made for the rule that was there.
    assert leaks_of_the_old(rule, monkeypatch)


def leaks_of_the_old(rule: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether something leaves: contents are made as the switched-off rule's values."""
    monkeypatch.setattr(Maker, "_content", lambda maker: maker._rules[getattr(shapes, rule)]())
    return leaks([None])


@pytest.mark.parametrize("step", [*WRAPPERS, *STEPS])
def test_each_step_of_the_redaction_is_needed(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A kind of thing that is not taken out of texts leaks."""
    monkeypatch.delitem(WRAPPERS if step in WRAPPERS else STEPS, step)
    assert leaks([None])


def _pass(text: str) -> str:
    return text


def _reads_all(patch: pytest.MonkeyPatch) -> None:
    data = sse.Rewriter._data

    def passing(self: sse.Rewriter, raw: bytes) -> bytes:
        out = data(self, raw)
        return b"data: " + raw if out == sse.UNREADABLE else out

    patch.setattr(sse.Rewriter, "_data", passing)


def _cleans_no_text(patch: pytest.MonkeyPatch) -> None:
    made = sse.Rewriter.__init__
    patch.setattr(sse.Rewriter, "__init__", lambda self, change, _: made(self, change, _pass))


OTHERS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the router's names": lambda patch: patch.setattr(leaving, "NAMES", _pass),
    "LiteLLM's redaction": lambda patch: patch.setattr(client_error, "redact_internal_details", _pass),
    "headers": lambda patch: patch.setattr(headers, "_passes", lambda name: True),
    "fields of errors": lambda patch: patch.setattr(errors, "FIELDS", errors.FIELDS | {"zq", "metadata"}),
    "unreadable events": _reads_all,
    "unknown lines": lambda patch: patch.setattr(sse.Rewriter, "_other", lambda _, __, ___, line: line),
    "texts in streams": _cleans_no_text,
}


@pytest.mark.parametrize("name", OTHERS)
def test_each_other_removal_is_needed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Without any one of them, something leaks."""
    OTHERS[name](monkeypatch)
    assert leaks([None])
