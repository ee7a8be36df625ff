"""Parameters that choose the words: each effect is foreseen, and a control shows that nothing else has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from litellm_homelab.probe.findings import ProbeVerdict
from litellm_homelab.probe.ground import (
    REPEATS,
    ProbeGround,
    Seen,
    Trial,
    all_differ,
    are_same,
    texts,
)

ACCEPTED, IGNORED, UNKNOWN = ProbeVerdict.ACCEPTED, ProbeVerdict.IGNORED, ProbeVerdict.UNKNOWN
Judged = tuple[ProbeVerdict, str]
DRONE: Final = 'Write the word "tick" thirty times, with a space after each, and nothing else.'
"""A request whose answer repeats itself, so that a penalty for that shows."""
TINY: Final = 1e-7
"""A penalty without an effect: where the answer changes with it, the field counts and not its value."""
BIASED: Final = ("300", "350")
"""Ids of tokens in nearly every vocabulary."""
NEVER: Final = "homelab-probe-never"
LONGEST_TOKEN: Final = 32
"""Characters that one token may have."""
MORE_VARIED: Final = 0.1
REPEATED: Final = 4
STOPS: Final = ("stop 1", "stop 2", "stop 3")


def temperature(_: ProbeGround, seen: Seen) -> Judged:
    """At 0 every answer is the same, and when it is high no two are."""
    cool, hot = texts(seen, "cool"), texts(seen, "hot")
    if are_same(cool) and all_differ([*hot, cool[0]]):
        return ACCEPTED, "at 0 all answers are the same, when it is high all differ"
    if are_same(cool) and {*cool} == {*hot}:
        return IGNORED, "answers at 0 and when it is high are the same"
    if all_differ(cool):
        return IGNORED, "at 0 all answers differ"
    return UNKNOWN, "answers are neither always the same at 0 nor always different when it is high"


def seed_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """The same seed some times, where answers differ without one."""
    return (Trial("seed", {**(ground.random or {}), "seed": 7}, REPEATS),)


def seed(ground: ProbeGround, seen: Seen) -> Judged:
    """With one seed all answers are the same, without one all differ."""
    found = texts(seen, "seed")
    if ground.random is None:
        return UNKNOWN, ground.why_not_random
    if are_same(found):
        return ACCEPTED, "with one seed all answers are the same, without one all differ"
    if all_differ(found):
        return IGNORED, "with one seed all answers differ"
    return UNKNOWN, "with one seed some answers are the same"


def narrowing_trials(name: str, value: float) -> Callable[[ProbeGround], tuple[Trial, ...]]:
    """A value that leaves one choice for each word, some times."""

    def trials(ground: ProbeGround) -> tuple[Trial, ...]:
        return (Trial(name, {**(ground.random or {}), name: value}, REPEATS),)

    return trials


def narrowing(name: str) -> Callable[[ProbeGround, Seen], Judged]:
    """With the least choice all answers are the same, without the parameter all differ."""

    def judge(ground: ProbeGround, seen: Seen) -> Judged:
        found = texts(seen, name)
        if ground.random is None:
            return UNKNOWN, ground.why_not_random
        if are_same(found):
            return ACCEPTED, "with the least choice all answers are the same, without it all differ"
        if all_differ(found):
            return IGNORED, "with the least choice all answers differ"
        return UNKNOWN, "with the least choice some answers are the same"

    return judge


def penalty_trials(name: str, strong: float, none: float) -> Callable[[ProbeGround], tuple[Trial, ...]]:
    """An answer that repeats itself: with the penalty, with a tiny one, and without any."""

    def trials(ground: ProbeGround) -> tuple[Trial, ...]:
        fields = ground.steady or {}
        return (
            Trial("drone", fields, 2, DRONE),
            Trial(name, {**fields, name: strong}, 2, DRONE),
            Trial(f"{name} tiny", {**fields, name: none + TINY}, 1, DRONE),
        )

    return trials


def penalty(name: str, *, is_sure: bool) -> Callable[[ProbeGround, Seen], Judged]:
    """With the penalty the answer repeats itself less; a tiny penalty changes nothing."""

    def judge(ground: ProbeGround, seen: Seen) -> Judged:
        without, strong, tiny = texts(seen, "drone"), texts(seen, name), texts(seen, f"{name} tiny")
        if ground.steady is None or not are_same(without):
            return UNKNOWN, ground.why_not_steady or "the same request has different answers"
        if not are_same(strong):
            return UNKNOWN, "with it the same request has different answers"
        if strong == without:
            if is_sure:
                return IGNORED, "an answer that repeats itself does not change"
            return UNKNOWN, "an answer that repeats itself does not change; a sure model may do so too"
        if tiny != without[:1]:
            return UNKNOWN, "a value without effect changes the answer too"
        if variety(strong[0]) > variety(without[0]) + MORE_VARIED:
            return ACCEPTED, "an answer repeats itself less with it"
        return UNKNOWN, "the answer changes, but does not repeat itself less"

    return judge


def variety(text: str) -> float:
    """How many of the words, or of the groups of three letters, of a text are different: 0 to 1."""
    words = text.split()
    found = words if len(words) > 5 else [text[at : at + 3] for at in range(max(1, len(text) - 2))]
    return len({*found}) / len(found) if found else 0.0


def bias_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """Two tokens that may not be avoided, each alone, and one with a bias without effect."""
    fields = ground.steady or {}
    forced = [Trial(f"logit_bias {one}", {**fields, "logit_bias": {one: 100}}) for one in BIASED]
    return (*forced, Trial("logit_bias tiny", {**fields, "logit_bias": {BIASED[0]: TINY}}))


def bias(ground: ProbeGround, seen: Seen) -> Judged:
    """The answer is one piece, repeated, and another one for another token."""
    forced = [text for one in BIASED for text in texts(seen, f"logit_bias {one}")]
    if ground.steady is None or len(forced) < len(BIASED):
        return UNKNOWN, ground.why_not_steady or "not tried"
    if {*forced} == {ground.steady_text}:
        return IGNORED, "a token that is forced does not come"
    is_one = [is_one_piece(text) for text in forced]
    if texts(seen, "logit_bias tiny") != [ground.steady_text]:
        return UNKNOWN, "a value without effect changes the answer too"
    if all(is_one) and len({*forced}) == len(forced) and not is_one_piece(ground.steady_text):
        return ACCEPTED, "a token that is forced comes again and again"
    return UNKNOWN, "the answer changes, but is not the token that is forced"


def is_one_piece(text: str) -> bool:
    """Whether a text is one piece of at most 32 characters, four times or more; the last may be cut."""
    said = text.strip()
    sizes = range(1, min(LONGEST_TOKEN, len(said) // REPEATED) + 1)
    return any(said[size:] == said[:-size] for size in sizes)


def limit_trials(name: str) -> Callable[[ProbeGround], tuple[Trial, ...]]:
    """Answers of one token and of four."""

    def trials(ground: ProbeGround) -> tuple[Trial, ...]:
        fields = ground.steady or {}
        return Trial(f"{name} 1", {**fields, name: 1}, 2), Trial(f"{name} 4", {**fields, name: 4})

    return trials


def limit(name: str) -> Callable[[ProbeGround, Seen], Judged]:
    """One token is shorter than four, four are shorter than the ordinary answer, and both say `length`."""

    def judge(ground: ProbeGround, seen: Seen) -> Judged:
        one, four = seen.get(f"{name} 1", ()), seen.get(f"{name} 4", ())
        lengths = [len(each.text) for each in one], [len(each.text) for each in four]
        usual = ground.usual_length
        if usual <= ENOUGH_TO_CUT:
            return UNKNOWN, "ordinary answers are too short to be cut"
        if min(*lengths[0], *lengths[1]) >= usual or min(lengths[0]) > 2 * LONGEST_TOKEN:
            return IGNORED, "answers are as long as without it"
        is_cut = max(lengths[0]) <= min(LONGEST_TOKEN, *lengths[1]) and max(lengths[1]) < usual
        is_said = {each.finish for each in (*one, *four)} == {"length"}
        is_counted = all((each.completion_tokens or 0) <= 1 for each in one)
        is_begun = ground.steady is None or all(
            ground.steady_text.startswith(_whole_part(each.text)) for each in (*one, *four)
        )
        if is_cut and is_said and is_counted and is_begun and max(lengths[0]) < max(lengths[1]):
            return ACCEPTED, "answers are cut there, with finish_reason length"
        if is_cut and is_begun and is_counted and max(lengths[0]) < max(lengths[1]):
            return UNKNOWN, "answers are shorter, but their finish_reason is not length"
        return UNKNOWN, "answers are shorter, but not as they should be"

    return judge


ENOUGH_TO_CUT: Final = 12
ENOUGH_BEFORE: Final = 3


def _whole_part(text: str) -> str:
    """A text without what a cut may have left of a character."""
    return text.rstrip("�")


def stop_words(ground: ProbeGround) -> list[str]:
    """
    At most three texts that an ordinary answer has, not at its start.

    A word with the space before it, since servers that compare tokens see it so; the word alone; a letter.
    """
    letters = _shared_letters(ground.samples)
    if ground.steady is None:
        return letters
    text = ground.steady_text
    inner = dict.fromkeys(re.findall(r" [^\W\d_]{3,}", text[1:]))
    late = [one for one in inner if text.find(one.strip()) > ENOUGH_BEFORE]
    return [*(word for one in late[:1] for word in (one, one.strip())), *_shared_letters((text,))]


def _shared_letters(samples: tuple[str, ...]) -> list[str]:
    """The character that is most frequent in every sample, if it is twice in each and not near the start."""
    shown = {one for text in samples for one in text if one.isascii() and one.isalnum()}
    late = [one for one in shown if not any(one in text[: ENOUGH_BEFORE + 1] for text in samples)]
    counts = {one: min(text.count(one) for text in samples) for one in late}
    best = max(counts, key=lambda one: (counts[one], one), default="")
    return [best] if best and counts[best] > 1 else []


def stop_trials(ground: ProbeGround) -> tuple[Trial, ...]:
    """Words of the ordinary answer, each alone, and one that never comes."""
    fields: dict[str, Any] = dict(ground.steady or {})
    times = 4 if ground.steady is None else 1
    words = zip(STOPS, stop_words(ground), strict=False)
    found = [Trial(label, {**fields, "stop": [word]}, times) for label, word in words]
    return (*found, Trial("stop never", {**fields, "stop": [NEVER]})) if found else ()


def stop(ground: ProbeGround, seen: Seen) -> Judged:
    """The answer ends before the word that it would contain."""
    words = dict(zip(STOPS, stop_words(ground), strict=False))
    found = {word: texts(seen, label) for label, word in words.items()}
    if not words:
        return UNKNOWN, "ordinary answers have no word to stop at"
    if ground.steady is None:
        return _stopped_somewhere(found)
    text = ground.steady_text
    if all({*each} == {text} for each in found.values()):
        return IGNORED, "the answer has the word, and goes on"
    if texts(seen, "stop never") != [text]:
        return UNKNOWN, "a word that never comes changes the answer too"
    ends = {word for word, each in found.items() if _ends_before(word, text, each)}
    if not ends:
        return UNKNOWN, "the answer changes, but does not end before the word"
    rest = [repr(word) for word in found if word not in ends]
    more = f", but not before {', '.join(rest)}" if rest else ""
    return ACCEPTED, f"the answer ends before {', '.join(repr(one) for one in found if one in ends)}{more}"


def _stopped_somewhere(found: dict[str, list[str]]) -> Judged:
    """Where answers differ of themselves: whether the word is in any."""
    has_it = [word in text for word, each in found.items() for text in each]
    if not any(has_it):
        return ACCEPTED, "no answer has the letter that all others have"
    return (IGNORED, "answers have the word") if all(has_it) else (UNKNOWN, "some answers have the word")


def _ends_before(word: str, text: str, found: list[str]) -> bool:
    before = _whole_part(text[: text.find(word)]).strip()
    return bool(before) and {_whole_part(one).strip() for one in found} == {before}
