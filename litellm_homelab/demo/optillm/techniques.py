"""The approaches that make few or sampled calls: re2, moa, bon, self_consistency, majority_voting, ..."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from litellm_homelab.demo.optillm.approach import Message
from litellm_homelab.demo.optillm.upstream import OptillmError, Run

Technique = Callable[[Run, str], Awaitable[str | list[str]]]

NO_COMPLETIONS: Final = "Error: Could not generate any completions"


async def once(run: Run, query: str) -> str:
    """One call with the flattened conversation, for the approaches that are not imitated further."""
    return await run.text(run.prompt(query))


async def re2(run: Run, query: str) -> str:
    """One call that reads the question twice (the prompt doubles)."""
    limit = {"max_tokens": run.fields["max_tokens"]} if "max_tokens" in run.fields else {}
    return (await run.text(run.prompt(f"{query}\nRead the question again: {query}"), n=1, **limit)).strip()


async def cot_reflection(run: Run, query: str) -> str:
    """One call; the only approach here that keeps the caller's temperature."""
    system = f"{run.plan.system}\nThink in <thinking>, check in <reflection>, answer in <output>."
    temperature = run.fields.get("temperature", 0.6)
    return (await run.texts(run.prompt(query, system), temperature=temperature, max_tokens=run.max_tokens))[0]


async def sampled(run: Run, messages: Sequence[Message], count: int, temperature: object) -> list[str]:
    """``count`` texts by one call with ``n``, or one by one where that fails, skipping what fails again."""
    fields = {"temperature": temperature, "max_tokens": run.max_tokens}
    try:
        texts = await run.texts(messages, n=count, **fields)
        if not texts:
            raise OptillmError("No valid completions generated")
    except Exception:  # noqa: BLE001 - OptiLLM catches all, which is why its failures become a 200
        texts = [text for _ in range(count) if (text := await _or_none(run, messages, fields)) is not None]
    return texts


async def _or_none(run: Run, messages: Sequence[Message], fields: dict[str, Any]) -> str | None:
    try:
        return await run.text(messages, **fields)
    except Exception:  # noqa: BLE001 - as OptiLLM does
        return None


async def moa(run: Run, query: str) -> str:
    """Three calls: three candidates, their critique, and the final answer, which quote the candidates."""
    candidates = await sampled(run, run.prompt(query), 3, 1)
    if not candidates:
        return NO_COMPLETIONS
    candidates += candidates[:1] * (3 - len(candidates))
    listed = "\n".join(f"Candidate {rank}:\n{text}" for rank, text in enumerate(candidates, 1))
    critique = await _kept(
        run, f"Original query: {query}\n{listed}\nCriticise each.", 512, "All candidates are reasonable."
    )
    final = f"Original query: {query}\n{listed}\nCritiques:\n{critique}\nGive the final, best answer."
    return await _kept(run, final, run.max_tokens, candidates[0])


async def _kept(run: Run, query: str, limit: object, otherwise: str) -> str:
    try:
        return await run.text(run.prompt(query), n=1, temperature=0.1, max_tokens=limit)
    except OptillmError:  # a cut answer is replaced, an upstream error ends the run
        return otherwise


async def bon(run: Run, query: str) -> str:
    """Four calls: three candidates at once and a rating of each."""
    messages = run.prompt(query)
    candidates = await sampled(run, messages, 3, 1)
    if not candidates:
        return NO_COMPLETIONS
    rate = [*messages, {"role": "system", "content": "Rate the response from 0 to 10 with a number only."}]
    ratings = [await _rating(run, rate, candidate) for candidate in candidates]
    return candidates[ratings.index(max(ratings))]


async def _rating(run: Run, messages: list[Message], candidate: str) -> float:
    asked = [
        {"role": "assistant", "content": candidate},
        {"role": "user", "content": "Rate the above response:"},
    ]
    try:
        return float(await run.text([*messages, *asked], n=1, temperature=0.1, max_tokens=256))
    except (ValueError, OptillmError):
        return 0.0


async def self_consistency(run: Run, query: str) -> str:
    """Five calls, one after the other; the commonest text wins."""
    texts = [await _uncut(run, query) for _ in range(5)]
    counted = Counter(text for text in texts if text is not None).most_common(1)
    return counted[0][0] if counted else "No consistent answer found."


async def _uncut(run: Run, query: str) -> str | None:
    try:
        return await run.text(run.prompt(query), temperature=1, max_tokens=run.max_tokens)
    except OptillmError:
        return None


async def majority_voting(run: Run, query: str) -> str:
    """One call with ``n`` = ``k`` (8); the commonest text wins."""
    count, temperature = run.fields.get("k", 8), run.fields.get("temperature", 0.6)
    texts = await sampled(run, run.prompt(query), count, temperature)
    return Counter(texts).most_common(1)[0][0] if texts else "Error: Could not generate any candidates"


async def genselect(run: Run, query: str) -> str:
    """Two calls: ``num_candidates`` (4) at once, and the choice among them; the first one is taken."""
    count, temperature = max(2, run.fields.get("num_candidates", 4)), run.fields.get("temperature", 0.7)
    texts = await sampled(run, run.prompt(query), count, temperature)
    if len(texts) < 2:
        return texts[0] if texts else "Error: Could not generate sufficient candidates for selection"
    listed = "\n".join(f"=== Candidate {rank} ===\n{text}" for rank, text in enumerate(texts, 1))
    messages = run.prompt(
        f"Query: {query}\n{listed}\nBEST CANDIDATE: [number]", "You compare and select answers."
    )
    await _or_none(run, messages, {"temperature": 0.3, "max_tokens": 2048})
    return texts[0]
