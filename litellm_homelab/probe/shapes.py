"""Parameters that shape the answer: choices, log probabilities, JSON, tools, streams."""

from __future__ import annotations

from typing import Any, Final

from litellm_homelab.probe.ground import THINKING_TOKENS, ProbeGround, Seen, Trial, ok
from litellm_homelab.probe.reading import ProbeAnswer, parsed
from litellm_homelab.probe.sampling import ACCEPTED, IGNORED, UNKNOWN, Judged

JSON_TOKENS: Final = 80
NO_JSON: Final = "Greet me with one short sentence. Do not answer in JSON."
GREET: Final = "Greet me with one short sentence."
TOOL: Final = "note_colour_of_probe"
USE_IT: Final = f"Call the function {TOOL} with the colour blue."
WANTED: Final = {"probe_number": 7321, "probe_word": "heron"}
"""What the schema leaves as the one possible answer."""
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "probe_number": {"type": "integer", "enum": [7321]},
        "probe_word": {"type": "string", "enum": ["heron"]},
    },
    "required": ["probe_number", "probe_word"],
    "additionalProperties": False,
}
TOOLS: Final[list[dict[str, Any]]] = [
    {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": "Notes a colour.",
            "parameters": {
                "type": "object",
                "properties": {"colour": {"type": "string"}},
                "required": ["colour"],
            },
        },
    }
]
ALTERNATIVES: Final = 3


def n_trials(_: ProbeGround) -> tuple[Trial, ...]:
    """Two answers to one request."""
    return (Trial("n", {"n": 2}),)


def n(_: ProbeGround, seen: Seen) -> Judged:
    """Two choices, where there is one otherwise."""
    usual = {len(one.texts) for one in ok(seen.get("plain", ()))}
    found = {len(one.texts) for one in seen["n"]}
    if usual == {1} and found == {2}:
        return ACCEPTED, "2 gives two choices"
    return (IGNORED, "2 gives one choice") if found == {1} else (UNKNOWN, "choices vary without it")


def logprobs_trials(_: ProbeGround) -> tuple[Trial, ...]:
    """Log probabilities, without alternatives."""
    return (Trial("logprobs", {"logprobs": True}),)


def logprobs(_: ProbeGround, seen: Seen) -> Judged:
    """Log probabilities, where there are none otherwise."""
    if any(one.logprobs for one in ok(seen.get("plain", ()))):
        return UNKNOWN, "log probabilities come without it too"
    if all(one.logprobs for one in seen["logprobs"]):
        return ACCEPTED, "log probabilities come with it only"
    return IGNORED, "no log probabilities"


def top_logprobs_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """Three alternatives for each token."""
    return (
        *logprobs_trials(ground),
        Trial("top_logprobs", {"logprobs": True, "top_logprobs": ALTERNATIVES}),
    )


def top_logprobs(_: ProbeGround, seen: Seen) -> Judged:
    """As many alternatives as asked for, and another number without it."""
    found = {count for one in seen["top_logprobs"] for count in one.logprobs}
    usual = {count for one in seen["logprobs"] for count in one.logprobs}
    if found == {ALTERNATIVES} and ALTERNATIVES not in usual:
        return ACCEPTED, f"{ALTERNATIVES} gives {ALTERNATIVES} alternatives for each token"
    if not found or found == {0}:
        return IGNORED, "no alternatives"
    return UNKNOWN, f"{ALTERNATIVES} gives another number of alternatives"


def json_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """A question that asks for no JSON, with and without the parameter."""
    tokens = _tokens(ground, JSON_TOKENS)
    fields = {"response_format": {"type": "json_object"}}
    return Trial("no json", {}, 2, NO_JSON, tokens), Trial("json", fields, 2, NO_JSON, tokens)


def json_object(_: ProbeGround, seen: Seen) -> Judged:
    """JSON where the same question has none without it."""
    without, found = seen["no json"], seen["json"]
    if any(_object(one) is not None for one in without):
        return UNKNOWN, "JSON comes without it too"
    if not all(one.is_ok for one in without):
        return UNKNOWN, "no answer without it"
    if all(_object(one) is not None for one in found):
        return ACCEPTED, "JSON comes with it only"
    return _no_json(found)


def schema_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """A schema that leaves one answer, to a question that has nothing to do with it."""
    asked = {"name": "probe", "schema": SCHEMA, "strict": True}
    fields = {"response_format": {"type": "json_schema", "json_schema": asked}}
    return (Trial("schema", fields, 1, GREET, _tokens(ground, JSON_TOKENS)),)


def json_schema(_: ProbeGround, seen: Seen) -> Judged:
    """The one answer that the schema leaves."""
    found = seen["schema"]
    if all(_object(one) == WANTED for one in found):
        return ACCEPTED, "the answer is the only one that the schema allows"
    if any(_object(one) is not None for one in found):
        return UNKNOWN, "JSON comes, but not as the schema says"
    return _no_json(found)


def _no_json(found: tuple[ProbeAnswer, ...]) -> Judged:
    if any(one.content.lstrip().startswith(("{", "```")) for one in found):
        return UNKNOWN, "what comes looks like JSON, and is not whole"
    if not all(one.content.strip() for one in found):
        return UNKNOWN, "the answer is empty"
    return IGNORED, "no JSON comes"


def _object(answer: ProbeAnswer) -> object:
    found = parsed(answer.content)
    return found if isinstance(found, dict) else None


def tools_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """A request to call a function, with the function and without."""
    tokens = _tokens(ground, JSON_TOKENS)
    return Trial("no tools", {}, 1, USE_IT, tokens), Trial("tools", {"tools": TOOLS}, 2, USE_IT, tokens)


def tools(_: ProbeGround, seen: Seen) -> Judged:
    """A call of the function; where there is none, whether the model has seen it."""
    without, found = seen["no tools"], seen["tools"]
    if any(one.tool for one in without) or not ok(without):
        return UNKNOWN, "no answer without it" if not ok(without) else "calls come without it too"
    if any(one.tool == TOOL for one in found):
        return ACCEPTED, "the function is called"
    counts = [one.prompt_tokens for one in (*without, *found)]
    if None in counts or not any(counts):
        return UNKNOWN, "no function is called; the model may not have chosen to"
    if len({*counts}) == 1:
        return IGNORED, "no function is called, and the prompt is not longer with it"
    return UNKNOWN, "the prompt is longer with it, but the model calls no function"


def choice_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """A question without a reason to call a function, and a function that must be called."""
    tokens = _tokens(ground, JSON_TOKENS)
    forced = {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": TOOL}}}
    return (
        Trial("free choice", {"tools": TOOLS}, 1, GREET, tokens),
        Trial("tool_choice", forced, 2, GREET, tokens),
    )


def tool_choice(_: ProbeGround, seen: Seen) -> Judged:
    """The function is called because it must be."""
    free, found = seen["free choice"], seen["tool_choice"]
    if not ok(free):
        return UNKNOWN, f"no answer with tools: {free[0].error}" if free else "not tried"
    if any(one.tool for one in free):
        return UNKNOWN, "the function is called without it too"
    if all(one.tool == TOOL for one in found):
        return ACCEPTED, "the function is called because it must be"
    if any(one.tool for one in found):
        return UNKNOWN, "sometimes a function is called"
    return IGNORED, "the function that must be called is not"


def stream_trials(_: ProbeGround) -> tuple[Trial, ...]:
    """The answer as a stream."""
    return (Trial("stream", {"stream": True}),)


def stream(_: ProbeGround, seen: Seen) -> Judged:
    """Events, where one document comes otherwise."""
    if any(one.chunks for one in ok(seen.get("plain", ()))):
        return UNKNOWN, "a stream comes without it too"
    (found,) = seen["stream"][:1]
    if not found.chunks:
        return IGNORED, "one document comes, no stream"
    pieces = "in one piece" if found.chunks == 1 else f"in {found.chunks} pieces"
    rest = "" if found.is_done else ", without [DONE]"
    return ACCEPTED, f"the answer comes {pieces}{rest}"


def usage_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """A stream that is to end with the number of tokens."""
    fields = {"stream": True, "stream_options": {"include_usage": True}}
    return (*stream_trials(ground), Trial("include_usage", fields))


def include_usage(_: ProbeGround, seen: Seen) -> Judged:
    """The number of tokens, where a stream has none otherwise."""
    without, found = seen["stream"], seen["include_usage"]
    if not ok(without) or not all(one.chunks for one in without):
        return UNKNOWN, "there is no stream"
    if any(one.has_usage for one in without):
        return UNKNOWN, "a stream has the number of tokens without it too"
    if all(one.has_usage and one.chunks for one in found):
        return ACCEPTED, "a stream has the number of tokens with it only"
    return IGNORED, "a stream has no number of tokens"


def _tokens(ground: ProbeGround, usual: int) -> int:
    return THINKING_TOKENS if ground.thinks else usual
