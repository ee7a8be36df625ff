"""
Replays the corpus against a gateway.

    python -m tests.corpus.runner --url http://127.0.0.1:4000 --key client=KEY --key master=KEY

Callers without a `--key` are skipped and counted. `--name back=my-hidden-model` puts the names of another
gateway in the place of those of tests/routers/corpus.yaml. Backends are not looked at from here: what is
checked is the answer. Exit 0: the gateway held; 1: it did not.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace

import httpx

from tests.corpus import generated
from tests.corpus.case import Case, Outcome, got_through, load, problem


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


def _pairs(values: Iterable[str]) -> dict[str, str]:
    return dict(value.split("=", 1) for value in values)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.runner")
    parser.add_argument("--url", required=True, help="the gateway's root, without /v1")
    parser.add_argument("--key", action="append", default=[], metavar="CALLER=KEY")
    parser.add_argument("--name", action="append", default=[], metavar="NAME=THEIRS")
    options = parser.parse_args(arguments)
    keys, names = _pairs(options.key), _pairs(options.name)
    cases = [renamed(case, names) for case in (*load(), *generated.cases())]
    known = [case for case in cases if case.caller in {*keys, "nobody"}]
    through = failed = 0
    with httpx.Client(base_url=options.url, timeout=60) as client:
        for case in known:
            outcome = ask(client, case, keys)
            wrong = problem(case, outcome)
            through += got_through(case, outcome)
            failed += bool(wrong)
            if wrong:
                print(f"{case.id}: {case.tried}: {wrong} ({case.method} {case.path} as {case.caller})")
    print(f"{len(known)} tried, {through} got through, {failed} not answered as they should be, "
          f"{len(cases) - len(known)} skipped (no key)")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
