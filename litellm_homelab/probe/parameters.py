"""The parameters that are tried, in the order in which they are shown: each with its trials and its judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.probe import sampling, shapes
from litellm_homelab.probe.findings import ProbeFinding, ProbeVerdict, refused
from litellm_homelab.probe.ground import ProbeGround, Seen, Trial
from litellm_homelab.probe.sampling import Judged


@dataclass(frozen=True, slots=True)
class ProbedParameter:
    """One parameter: what is asked, and what the answers say about it."""

    name: str
    trials: Callable[[ProbeGround], tuple[Trial, ...]]
    judge: Callable[[ProbeGround, Seen], Judged]
    own: tuple[str, ...]
    """Labels of the trials that contain it; the others are controls."""
    field: str = ""
    """The field of the request, where the name is another."""
    wrong: Any = None
    """A value that the API forbids."""


def _unseen(_: ProbeGround, __: Seen) -> Judged:
    return ProbeVerdict.UNKNOWN, "let through; it has no effect that an answer shows"


def _hidden(name: str, value: object, wrong: object) -> ProbedParameter:
    """A parameter without an effect that a client can see: it is rejected, or nothing is known."""
    return ProbedParameter(name, lambda _: (Trial(name, {name: value}),), _unseen, (name,), wrong=wrong)


def _narrowing(name: str, value: float) -> ProbedParameter:
    trials, judge = sampling.narrowing_trials(name, value), sampling.narrowing(name)
    return ProbedParameter(name, trials, judge, (name,), wrong="narrow")


def _penalty(name: str, strong: float, none: float = 0.0, *, is_sure: bool = True) -> ProbedParameter:
    trials, judge = sampling.penalty_trials(name, strong, none), sampling.penalty(name, is_sure=is_sure)
    return ProbedParameter(name, trials, judge, (name, f"{name} tiny"), wrong="strong")


def _limit(name: str) -> ProbedParameter:
    return ProbedParameter(
        name, sampling.limit_trials(name), sampling.limit(name), (f"{name} 1", f"{name} 4"), wrong="many"
    )


PARAMETERS: Final = (
    _limit("max_tokens"),
    _limit("max_completion_tokens"),
    ProbedParameter("temperature", lambda _: (), sampling.temperature, ("cool", "hot"), wrong="warm"),
    ProbedParameter("seed", sampling.seed_trials, sampling.seed, ("seed",), wrong="seven"),
    _narrowing("top_p", 1e-6),
    _narrowing("top_k", 1),
    _narrowing("min_p", 1.0),
    _penalty("frequency_penalty", 2.0),
    _penalty("presence_penalty", 2.0, is_sure=False),
    _penalty("repetition_penalty", 1.9, 1.0),
    ProbedParameter(
        "logit_bias",
        sampling.bias_trials,
        sampling.bias,
        (*(f"logit_bias {one}" for one in sampling.BIASED), "logit_bias tiny"),
        wrong={"x": "y"},
    ),
    ProbedParameter(
        "stop", sampling.stop_trials, sampling.stop, (*sampling.STOPS, "stop never"), wrong={"x": 1}
    ),
    ProbedParameter("n", shapes.n_trials, shapes.n, ("n",), wrong="two"),
    ProbedParameter("logprobs", shapes.logprobs_trials, shapes.logprobs, ("logprobs",), wrong="yes"),
    ProbedParameter(
        "top_logprobs",
        shapes.top_logprobs_trials,
        shapes.top_logprobs,
        ("top_logprobs",),
        wrong="three",
    ),
    ProbedParameter(
        "response_format json_object",
        shapes.json_trials,
        shapes.json_object,
        ("json",),
        field="response_format",
        wrong="json",
    ),
    ProbedParameter(
        "response_format json_schema",
        shapes.schema_trials,
        shapes.json_schema,
        ("schema",),
        field="response_format",
    ),
    ProbedParameter("tools", shapes.tools_trials, shapes.tools, ("tools",), wrong="all"),
    ProbedParameter("tool_choice", shapes.choice_trials, shapes.tool_choice, ("tool_choice",)),
    _hidden("parallel_tool_calls", value=False, wrong="no"),
    ProbedParameter("stream", shapes.stream_trials, shapes.stream, ("stream",), wrong="yes"),
    ProbedParameter(
        "stream_options.include_usage",
        shapes.usage_trials,
        shapes.include_usage,
        ("include_usage",),
        field="stream_options",
        wrong="all",
    ),
    _hidden("reasoning_effort", "low", 5),
    _hidden("user", "homelab-probe", 5),
    _hidden("metadata", {"probe": "homelab"}, "none"),
)


def finding_of(parameter: ProbedParameter, ground: ProbeGround, seen: Seen) -> ProbeFinding:
    """The verdict on one parameter."""
    found = refused(parameter.name, seen, _tried(parameter, ground))
    if found is not None:
        return found
    verdict, why = parameter.judge(ground, seen)
    checked = seen.get(f"wrong {parameter.name}", ())
    if checked and verdict is not ProbeVerdict.ACCEPTED and checked[0].is_refused:
        # A value is looked at, so `ignored` is not the whole truth; that it has an effect was not seen.
        verdict, why = ProbeVerdict.UNKNOWN, f"{why}; a wrong value is refused, so it is read"
    elif checked:
        why += "; a wrong value is refused" if checked[0].is_refused else "; a wrong value is let through"
    return ProbeFinding(parameter.name, verdict, why)


def _tried(parameter: ProbedParameter, ground: ProbeGround) -> tuple[str, ...]:
    """The trials that must have been answered; none where this server leaves nothing to ask."""
    planned = {one.label for one in parameter.trials(ground)}
    return (
        tuple(one for one in parameter.own if not planned or one in planned)
        if planned
        else (parameter.own if parameter.name == "temperature" else ())
    )


def trials(ground: ProbeGround) -> Iterator[tuple[ProbedParameter, Trial]]:
    """Every trial once, with the first parameter that needs it."""
    known: set[str] = set()
    for parameter in PARAMETERS:
        for one in parameter.trials(ground):
            if one.label not in known:
                known.add(one.label)
                yield parameter, one
