"""Labels of rules: each one that the code uses is counted by its name, from 0 on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import litellm_homelab
from litellm_homelab.adapter import recording
from litellm_homelab.adapter.fail_closed import broken, closed
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.guardrails import PromptTags
from litellm_homelab.metrics.labels import OTHER, RULES, Labels
from litellm_homelab.optillm import tags

PACKAGE = Path(litellm_homelab.__file__).parent
FIRST = (
    "closed",
    "log_and_continue",
    "reraise",
    "broken",
    "policy_error",
    "rule_error",
    "add_rule",
    "refused",
)
SECOND = ("refuse", "Refused")
TAKES_A_RULE = {**dict.fromkeys(FIRST, 0), **dict.fromkeys(SECOND, 1)}
"""Functions that take the label of a rule, and at which place."""


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    recording.forget()
    yield
    recording.forget()


def failures(rule: str) -> float | None:
    """What `/metrics/` shows for a rule."""
    return REGISTRY.get_sample_value("homelab_rule_errors_total", {"rule": rule})


def constants(tree: ast.Module) -> dict[str, str]:
    """The texts that a module names at its top."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found[ast.unparse(target)] = str(node.value.value)
    return found


def given(call: ast.Call) -> Iterator[ast.expr]:
    """What a call gives as the label of a rule, by place or by name."""
    _, dot, called = ast.unparse(call.func).rpartition(".")
    place = TAKES_A_RULE.get(called)
    if place is not None and (dot or called != "refused"):  # `context.refused`, not one of `fields`
        yield from call.args[place : place + 1]
    yield from (one.value for one in call.keywords if one.arg == "rule")


def defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """What a function has as the default of a parameter `rule`."""
    names = [argument.arg for argument in node.args.args]
    pairs = zip(reversed(names), reversed(node.args.defaults), strict=False)
    yield from (value for name, value in pairs if name == "rule")


def labels_in(source: str) -> Iterator[str]:
    """Every literal label of a rule in a module: given by place, by name, as a constant, or as a default."""
    tree = ast.parse(source)
    named = constants(tree)
    for node in ast.walk(tree):
        found: Iterator[ast.expr] = iter(())
        if isinstance(node, ast.Call):
            found = given(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found = defaults(node)
        elif isinstance(node, ast.ClassDef) and "Policy" in map(ast.unparse, node.bases):
            found = (one.value for one in node.body if isinstance(one, ast.Assign))
        for value in found:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value
            elif isinstance(value, ast.Name) and value.id in named:
                yield named[value.id]


USED = {
    (path.relative_to(PACKAGE).as_posix(), label)
    for path in PACKAGE.rglob("*.py")
    for label in labels_in(path.read_text(encoding="utf-8"))
}


def test_labels_are_found_in_the_source() -> None:
    """The search sees every way in which a label is written."""
    source = """
RULE = "constant"
@closed("decorator")
async def hook(self): raise Refused(refusal, "second")
def refuse(refusal, rule="default"):
    with hooks.log_and_continue("attribute"): Refused(refusal, rule="keyword"); refuse(refusal, RULE)
class Some(Policy):
    name = "policy"
"""
    found = {"constant", "decorator", "second", "default", "attribute", "keyword", "policy"}
    assert set(labels_in(source)) == found
    assert {label for _, label in USED} >= {"gate", "edge", "showroom", "approach", "prompt_tags", "metrics"}


@pytest.mark.parametrize(("where", "label"), sorted(USED))
def test_every_label_of_the_source_is_known(where: str, label: str) -> None:
    """A label that is missing in RULES would be counted as `other`, and raise no alert at first."""
    assert label in RULES, f"add {label!r} (litellm_homelab/{where}) to RULES in metrics/labels.py"


@pytest.mark.parametrize("rule", RULES)
def test_the_first_failure_is_an_increase(rule: str) -> None:
    """Each rule's series is there with 0 before anything fails; nothing is counted as `other`."""
    recording.show(Labels())
    assert failures(rule) == 0
    broken(rule, ValueError())
    assert failures(rule) == 1
    assert failures(OTHER) is None


async def test_a_guardrail_that_breaks_is_counted_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """PromptTags is a rule like the others: a failure inside it refuses, and is counted as its own."""

    def fails(texts: object) -> str:
        raise LookupError

    monkeypatch.setattr(tags, "find", fails)
    recording.show(Labels())
    guardrail = PromptTags(guardrail_name="prompt-tags", event_hook="pre_call", default_on=True)
    with pytest.raises(Refused) as caught:
        await guardrail.async_pre_call_hook(
            user_api_key_dict=None,
            cache=None,
            data={"prompt": "hello", "metadata": {}},
            call_type="acompletion",
        )
    assert (caught.value.refusal.status, failures("prompt_tags")) == (503, 1)


@pytest.mark.parametrize("first", ["shown", "decorated"])
def test_another_packages_rule_has_a_series_too(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that is made with `closed`, before or after the metrics, is counted by its name from 0 on."""
    monkeypatch.setattr(recording, "_added", set())
    if first == "shown":
        recording.show(Labels())
        closed("house_rule")
    else:
        closed("house_rule")
        recording.show(Labels())
    assert failures("house_rule") == 0
    broken("house_rule", ValueError())
    assert failures("house_rule") == 1
