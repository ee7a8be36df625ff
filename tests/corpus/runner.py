"""
Replays the corpus against a gateway.

    python -m tests.corpus.runner --url http://127.0.0.1:4000 --key client=KEY --key master=KEY

Callers without a `--key` are skipped and counted. With `--stock URL --stock-key KEY`, a LiteLLM on the same
router without our hooks, each case is tried there too: the output says for each kind of fault how many it
serves, for each published advisory whether it does, and with `--each` for each case.
`--name back=my-hidden-model` puts the names of another gateway in the place of those of
tests/routers/corpus.yaml. Backends are not looked at from here: what is checked is the answer.
Exit 0: the gateway held; 1: it did not.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import httpx

from tests.corpus import generated
from tests.corpus.case import Case, Outcome, by_advisory, by_kind, got_through, load, problem


def renamed(case: Case, names: Mapping[str, str]) -> Case:
    """The case with other names of models in its path and body."""
    path, content = case.path, case.content
    for old, new in names.items():
        word = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])")
        path = word.sub(new, path)
        content = word.sub(new, content.decode()).encode() if content is not None else None
    return replace(case, path=path, content=content)


def headers(case: Case, keys: Mapping[str, str]) -> dict[str, str]:
    """The case's headers with its caller's key; `nobody` has none."""
    return {
        **({"authorization": f"Bearer {keys[case.caller]}"} if case.caller in keys else {}),
        **case.headers,
    }


def ask(client: httpx.Client, case: Case, keys: Mapping[str, str]) -> Outcome:
    """Send one case; status 0 stands for a connection that was closed in the middle of a body."""
    try:
        answer = client.request(case.method, case.path, content=case.content, headers=headers(case, keys))
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
        return Outcome(0, f"{type(error).__name__}: {error}")
    return Outcome(answer.status_code, answer.text)


def _stock(options: argparse.Namespace, cases: Iterable[Case]) -> set[str] | None:
    """The ids of the cases that stock LiteLLM serves; None where no stock LiteLLM was named."""
    if options.stock is None:
        return None
    # Without our hooks and without a database it has one key for every caller.
    keys = {case.caller: options.stock_key for case in cases if case.caller != "nobody"}
    with httpx.Client(base_url=options.stock, timeout=60) as client:
        return {case.id for case in cases if got_through(case, ask(client, case, keys))}


def _print_kinds(cases: list[Case], through: set[str], stock: set[str] | None) -> None:
    theirs = by_kind(cases, stock) if stock is not None else {}
    for kind, (served, tried) in by_kind(cases, through).items():
        beside = f"served by stock {theirs[kind][0]} of {tried}, " if kind in theirs else ""
        print(f"{kind or 'no kind'}: {beside}here {served} of {tried}")


def advisory_lines(
    cases: Iterable[Case], through: Collection[str], stock: Collection[str] | None, name: str
) -> Iterator[str]:
    """For each advisory how many of its cases got through here, and whether stock LiteLLM serves them."""
    known = list(cases)
    theirs = by_advisory(known, stock or ())
    for advisory, (served, tried) in by_advisory(known, through).items():
        beside = ""
        if stock is not None:
            number = theirs[advisory][0]
            beside = f"{name} {f'serves {number} of {tried}' if number else f'refuses all {tried}'}, "
        yield f"{advisory}: {beside}here {served} of {tried}"


def _pairs(values: Iterable[str]) -> dict[str, str]:
    return dict(value.split("=", 1) for value in values)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.runner")
    parser.add_argument("--url", required=True, help="the gateway's root, without /v1")
    parser.add_argument("--key", action="append", default=[], metavar="CALLER=KEY")
    parser.add_argument("--name", action="append", default=[], metavar="NAME=THEIRS")
    parser.add_argument("--stock", metavar="URL", help="a stock LiteLLM to compare with")
    parser.add_argument("--stock-key", default="", metavar="KEY")
    parser.add_argument("--each", action="store_true", help="print every case, not only those that fail")
    options = parser.parse_args(arguments)
    keys, names = _pairs(options.key), _pairs(options.name)
    cases = [renamed(case, names) for case in (*load(), *generated.cases())]
    known = [case for case in cases if case.caller in {*keys, "nobody"}]
    stock = _stock(options, known)
    through, failed = _try(options, known, keys, stock)
    _print_kinds(known, through, stock)
    for line in advisory_lines(known, through, stock, "stock"):
        print(line)
    print(f"{len(known)} tried, {len(through)} got through, {failed} not answered as they should be, "
          f"{len(cases) - len(known)} skipped (no key)")  # fmt: skip
    return 1 if failed else 0


def _try(
    options: argparse.Namespace, cases: list[Case], keys: Mapping[str, str], stock: set[str] | None
) -> tuple[set[str], int]:
    """The ids of the cases that got through, and how many were not answered as they should be."""
    through, failed = set(), 0
    with httpx.Client(base_url=options.url, timeout=60) as client:
        for case in cases:
            outcome = ask(client, case, keys)
            wrong = problem(case, outcome)
            failed += bool(wrong)
            if got_through(case, outcome):
                through.add(case.id)
            if wrong or options.each:
                print(_line(case, wrong or f"held ({outcome.status})", stock))
    return through, failed


def _line(case: Case, what: str, stock: set[str] | None) -> str:
    beside = "" if stock is None else f"; stock {'serves' if case.id in stock else 'refuses'} it"
    return (
        f"{case.id}: {case.kind}: {case.tried}: {what}{beside} ({case.method} {case.path} as {case.caller})"
    )


if __name__ == "__main__":
    sys.exit(main())
