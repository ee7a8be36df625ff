"""The approaches that make many calls (plansearch, leap, mcts, ...) and those that fail in odd ways."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

from litellm_homelab.demo.optillm.approach import Message
from litellm_homelab.demo.optillm.upstream import OptillmError, Run, together

_SPL_MIN_TOKENS: Final = 4096
_CUT: Final = (
    "Error: Response was truncated due to token limit. Please increase max_tokens or max_completion_tokens."
)


async def plansearch(run: Run, query: str) -> list[str]:
    """Four calls, each quoting the ones before: observations, more of them, a solution, its code."""
    first = await _or(run, f"{query}\nGive 3 observations.", "")
    more = await _or(run, f"{query}\n{first}\nGive 2 derived observations.", "")
    solution = await _or(run, f"{query}\n{first}\n{more}\nDescribe a solution.", _CUT)
    return [await _or(run, f"{query}\n{solution}\nWrite the program in Python.", _CUT)]


async def _or(run: Run, query: str, otherwise: str) -> str:
    try:
        return await run.text(run.prompt(query), max_tokens=run.max_tokens)
    except OptillmError:  # a cut answer is replaced, an upstream error ends the run
        return otherwise


async def leap(run: Run, query: str) -> str:
    """Seven calls: examples, a mistake and a principle for each of two, their summary, and the answer.

    OptiLLM makes two calls where the model finds no examples; a demo model finds none, so two are assumed.
    """
    limit = {"max_tokens": run.max_tokens}
    examples = await run.text(
        run.prompt(f"Extract the examples as JSON in <output> tags. Query: {query}"), **limit
    )
    mistakes = [
        await run.text(run.prompt(f"Make a mistake in example {rank}: {examples}"), temperature=0.7, **limit)
        for rank in (1, 2)
    ]
    principles = [await run.text(run.prompt(f"What is wrong here? {text}"), **limit) for text in mistakes]
    summary = await run.text(run.prompt("Summarise the principles: " + "\n".join(principles)), **limit)
    return await run.text(run.prompt(f"Keep in mind: {summary}\nQuery: {query}"), **limit)


async def rto(run: Run, query: str) -> str:
    """Three calls, or four where the programs differ: code, its description, code again, the better."""
    fields: dict[str, Any] = {"n": 1, "temperature": 0.1}
    messages = run.prompt(query)
    first = await run.text(messages, max_tokens=run.max_tokens, **fields)
    messages += [
        {"role": "assistant", "content": first},
        {"role": "user", "content": "Describe the code you made."},
    ]
    description = await run.text(messages, max_tokens=1024, **fields)
    second = await run.text(run.prompt(description), max_tokens=run.max_tokens, **fields)
    if _code(first) == _code(second):
        return _code(first)
    both = f"Initial query: {query}\n(C1):\n{_code(first)}\n(C2):\n{_code(second)}\nGive the final code."
    return await run.text(run.prompt(both), max_tokens=run.max_tokens, **fields)


def _code(text: str) -> str:
    found = re.search(r"```(?:[\w-]+)?\n(.*?)```", text, re.DOTALL)
    return (found.group(1) if found else text).strip()


@dataclass(slots=True)
class _Node:
    history: list[Message]
    query: str
    children: list[_Node] = field(default_factory=list)

    def messages(self, run: Run, query: str) -> list[Message]:
        return [
            {"role": "system", "content": run.plan.system},
            *self.history,
            {"role": "user", "content": query},
        ]


async def mcts(run: Run, query: str) -> str:
    """14 calls by default: ``mcts_simulations`` (2) times 5 + 2 x ``mcts_depth`` (1).

    Always takes the first action where OptiLLM picks one at random.
    """
    simulations, depth = run.fields.get("mcts_simulations", 2), run.fields.get("mcts_depth", 1)
    root = _Node([], query)
    for _ in range(simulations):
        node = root.children[-1] if root.children else root
        node.children = [await _after(run, node, action) for action in await _actions(run, node)]
        state = node.children[0]
        for _ in range(depth):
            state = await _after(run, state, (await _actions(run, state))[0])
        await run.texts(
            state.messages(run, "Rate this conversation from 0 to 1."), max_tokens=256, n=1, temperature=0.1
        )
    return str(root.children[0].history[-1]["content"]) if root.children else ""


async def _actions(run: Run, node: _Node) -> list[str]:
    return await run.texts(node.messages(run, node.query), max_tokens=run.max_tokens, n=3, temperature=1)


async def _after(run: Run, node: _Node, action: str) -> _Node:
    grown = _Node([*node.history, {"role": "assistant", "content": action}], "Please continue.")
    asked = grown.messages(run, "What might the user say next?")
    texts = await run.texts(asked, max_tokens=min(run.max_tokens, 1024), n=1, temperature=1)
    return _Node(grown.history, texts[0] if texts else grown.query)


async def pvg(run: Run, query: str) -> str:
    """17 calls: two rounds of 3 helpful and 3 sneaky solutions and 6 verdicts, a refinement between."""
    best = ""
    for temperature in (0.7, 0.6):
        solutions = [
            text for mode in ("helpful", "sneaky") for text in await _solutions(run, query, mode, temperature)
        ]
        for solution in solutions:
            asked = run.prompt(
                f"Problem: {query}\n\nSolution: {solution}", f"{run.plan.system}\nGive a Score: 0 to 10."
            )
            await run.texts(asked, max_tokens=1024, temperature=0.2)
        best = best or solutions[0]
        if temperature == 0.7:
            refine = f"Refine the query.\nOriginal query: {query}\nBest solution: {best}"
            limit = min(run.max_tokens, 1024)
            query = (await run.texts(run.prompt(refine), max_tokens=limit, temperature=0.5))[0]
    return best


async def _solutions(run: Run, query: str, mode: str, temperature: float) -> list[str]:
    system = f"{run.plan.system}\nYou are in {mode} mode."
    return await run.texts(run.prompt(query, system), n=3, max_tokens=run.max_tokens, temperature=temperature)


async def rstar(run: Run, query: str) -> str:
    """25 calls, five in flight: five rollouts of four steps, then a check of each."""
    paths = await together(_rollout(run, query) for _ in range(5))
    for path in paths:
        await _step(run, f"Given the partial reasoning:\n{path[0]}\nComplete it.")
    return str(paths[0][-1])


async def _rollout(run: Run, query: str) -> list[str]:
    state, path = query, []
    for _ in range(4):
        state = await _step(run, f"Given the current state: {state}\nGive the next step in solving {query}.")
        path.append(state)
    return path


async def _step(run: Run, query: str) -> str:
    messages = run.prompt(query, "You are a helpful assistant for mathematical problems.")
    return (await run.texts(messages, max_tokens=run.max_tokens, temperature=0.2))[0].strip()


async def spl(run: Run, query: str) -> str:
    """Two calls, the second with the caller's raw fields; on failure a third, or a 200 with its text."""
    limit = max(run.max_tokens, _SPL_MIN_TOKENS)
    await _classified(run, query)
    fields = {name: value for name, value in run.fields.items() if name != "spl_learning"}
    try:
        return (await run.texts(run.prompt(query), **fields | {"max_tokens": limit}))[0]
    except Exception as error:  # noqa: BLE001 - as OptiLLM does
        try:
            return (await run.texts(run.prompt(query), max_tokens=_SPL_MIN_TOKENS))[0]
        except Exception:  # noqa: BLE001 - as OptiLLM does
            return f"Error processing request: {error}"


async def _classified(run: Run, query: str) -> None:
    with contextlib.suppress(Exception):  # as OptiLLM does
        asked = run.prompt(f"Which kind of problem is this? {query}", "You classify problems.")
        await run.create(asked, max_tokens=_SPL_MIN_TOKENS, temperature=0.1)


async def mars(run: Run, query: str) -> str:
    """One call here, where OptiLLM makes 15 to 118; a failure is a 200 with the error's text, as there."""
    try:
        return await run.text(run.prompt(query), max_tokens=run.max_tokens)
    except Exception as error:  # noqa: BLE001 - as OptiLLM does
        return f"MARS system encountered an error: {error}\n\nAttempting direct solution approach..."


async def no_calls(_: Run, query: str) -> str:
    """readurls and web_search answer without a model; no address is fetched here."""
    return query


async def longcepo(_: Run, __: str) -> str:
    """Loads but always fails in OptiLLM 0.4.0."""
    raise OptillmError("attempted relative import with no known parent package")
