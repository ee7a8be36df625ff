"""The whole probe: asks in an order in which each answer helps the next question, within a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from litellm_homelab.probe import contract, parameters
from litellm_homelab.probe.asking import WRONG_KEY, Asker, BudgetSpent, ProbeReply
from litellm_homelab.probe.findings import CONTROL, ProbeFinding
from litellm_homelab.probe.ground import (
    COOL,
    DRAWS,
    HOT,
    HOTTER,
    NONSENSE,
    STORY,
    TOKENS,
    Fields,
    ProbeGround,
    Trial,
    first_trials,
    ground_of,
)
from litellm_homelab.probe.kinds import PATHS, ProbedServer, server_of
from litellm_homelab.probe.parameters import PARAMETERS, finding_of
from litellm_homelab.probe.reading import ProbeAnswer, answer_of

CHAT: Final = "/v1/chat/completions"
NO_MODEL: Final = "homelab-probe-no-such-model"
LIMITS: Final = ("max_tokens", "max_completion_tokens")
MLX_FINGERPRINT: Final = re.compile(r"\d+\.\d+\.\d+-\d+\.\d+\.\d+-")
"""Of mlx-lm and mlx, as mlx_lm.server 0.32.2 puts them into `system_fingerprint`."""
SILENT: Final = 3
"""Questions in a row without any answer, after which the rest is not asked."""
FORCE_NONE: Final = "<optillm_approach>none</optillm_approach>"
"""In the prompt: OptiLLM then passes the request on, whatever approach it was started with."""


class ProbeFailed(Exception):
    """The server cannot be probed; the text says why. Nothing is known of its parameters."""

    def __init__(self, why: str, *, is_unusable: bool) -> None:
        super().__init__(why)
        self.is_unusable = is_unusable
        """There was no connection, no model or no right key: not a fault of the server."""


@dataclass
class ProbeReport:
    """All that was found."""

    server: ProbedServer
    model: str
    findings: tuple[ProbeFinding, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    calls: int = 0


@dataclass
class Probe:
    """One run: what it asks with, and what it has seen."""

    asker: Asker
    model: str = ""
    with_wrong_values: bool = False
    progress: Callable[[str], None] = lambda _: None
    seen: dict[str, tuple[ProbeAnswer, ...]] = field(default_factory=dict)
    limit: str = LIMITS[0]
    prefix: str = ""
    silent: int = 0

    def run(self) -> ProbeReport:
        """
        Ask everything that the budget allows.

        Raises:
            ProbeFailed: an ordinary request is not served.

        """
        self.progress("what it is")
        server = self._server()
        if not self.model and not server.models:
            raise ProbeFailed("it lists no model; name one with --model", is_unusable=True)
        self.model = self.model or server.first_model()
        report = ProbeReport(server, self.model)
        self._begin(server)
        ground = ProbeGround()
        problems = []
        try:
            ground = self._ground()
            self._parameters(ground)
            self._rest(report, server)
            self._wrong_values(report)
        except BudgetSpent as spent:
            problems.append(f"not finished: {spent}")
        report.findings = tuple(finding_of(one, ground, self.seen) for one in PARAMETERS)
        report.facts = self._facts(server)
        report.problems = (*report.problems, *problems, *self._problems())
        report.calls = self.asker.budget.spent
        return report

    def _server(self) -> ProbedServer:
        replies: dict[str, ProbeReply] = {}
        for path in PATHS:
            replies[path] = self.asker.get(path)
            if replies[path].is_absent:
                raise ProbeFailed(replies[path].problem, is_unusable=True)
            if not replies[path].status:
                break  # silent on its list: the chat decides, and each further path would cost as long
        return server_of(replies)

    def _begin(self, server: ProbedServer) -> None:
        """Find a form in which an ordinary request is served."""
        self.progress("an ordinary request")
        answer = self._ask({})
        if answer.is_refused:
            self.limit = LIMITS[1]
            second = self._ask({})
            answer = second if second.is_ok else answer
        if answer.is_ok and server.kind == "optillm" and not answer.has_id:
            # Only a request that OptiLLM passes on has an id: it was started with an approach of its own.
            self.prefix = FORCE_NONE
            answer = self._ask({})
        if not answer.is_ok:
            needs_key = answer.status in (401, 403)
            hint = "; name the variable of its key with --key-env" if needs_key else ""
            is_unusable = needs_key or (answer.status == 404 and not server.models)
            raise ProbeFailed(f"{self.model}: {answer.error}{hint}", is_unusable=is_unusable)

    def _ground(self) -> ProbeGround:
        self.progress("whether answers repeat")
        for one in first_trials():
            self._try(one)
        if not all(one.is_ok for one in self.seen["hot"]):
            self.seen[HOTTER] = ()
            self._try(Trial("hot", {"temperature": HOT[1]}, DRAWS), again=True)
        is_cool = all(one.is_ok for one in self.seen["cool"])
        self._try(Trial("nonsense", {**({"temperature": COOL} if is_cool else {}), **NONSENSE}, 2))
        return ground_of(self.seen)

    def _parameters(self, ground: ProbeGround) -> None:
        for parameter, trial in parameters.trials(ground):
            self.progress(parameter.name)
            self._try(trial)

    def _rest(self, report: ProbeReport, server: ProbedServer) -> None:
        self.progress("routes, errors and keys")
        routes: dict[str, str] = {}
        errors: dict[str, str] = {}
        report.routes, report.errors = routes, errors
        for route in contract.ROUTES:
            routes[route.path] = contract.route_verdict(
                route, self.asker.post(route.path, route.body(self.model))
            )
        if server.kind == "mlx" or self._is_mlx():
            errors["another model"] = "not tried: mlx_lm.server would unload its model and look for it online"
        else:
            errors["another model"] = contract.error_form(self._post({"model": NO_MODEL, self.limit: 1}))
        errors["not JSON"] = contract.error_form(self.asker.post(CHAT, '{"model": '))
        without = self._post({self.limit: 1}, key="")
        wrong = self._post({self.limit: 1}, key=WRONG_KEY)
        report.key = contract.key_verdict(without, wrong, has_key=bool(self.asker.where.key))

    def _is_mlx(self) -> bool:
        """Whether mlx_lm.server answers, behind OptiLLM too: by its versions in the fingerprint."""
        found = (one.fingerprint for answers in self.seen.values() for one in answers)
        return any(MLX_FINGERPRINT.match(one) for one in found)

    def _wrong_values(self, report: ProbeReport) -> None:
        """Values that the API forbids, where asked for: some servers end on one."""
        if not self.with_wrong_values:
            return
        for parameter in PARAMETERS:
            if parameter.wrong is None:
                continue
            self.progress(f"wrong values: {parameter.name}")
            fields = {parameter.field or parameter.name: parameter.wrong}
            self.seen[f"wrong {parameter.name}"] = (self._ask(fields),)
            if not self._ask({}).is_ok:
                report.problems += (
                    f"after a wrong value of {parameter.name} it serves no ordinary request any more",
                )
                del self.seen[f"wrong {parameter.name}"]
                return

    def _try(self, trial: Trial, *, again: bool = False) -> None:
        """Ask a trial as often as it says; what fails is asked again after an ordinary request."""
        if trial.label in self.seen and not again:
            return
        found: list[ProbeAnswer] = []
        for _ in range(trial.times):
            found.append(self._ask(trial.fields, trial.prompt, trial.tokens))
            if not found[-1].is_ok:
                found += self._twice(trial)
                break
        self.seen[trial.label] = tuple(found)

    def _twice(self, trial: Trial) -> Iterator[ProbeAnswer]:
        """The ordinary request, which is noted as the control, and the one that failed once more."""
        self.seen[CONTROL + trial.label] = (self._ask({}),)
        yield self._ask(trial.fields, trial.prompt, trial.tokens)

    def _ask(self, fields: Fields, prompt: str = STORY, tokens: int = TOKENS) -> ProbeAnswer:
        if self.silent >= SILENT:
            raise BudgetSpent(f"{SILENT} requests in a row had no answer")
        answer = answer_of(self._post(fields, prompt, tokens))
        self.silent = self.silent + 1 if not answer.status else 0
        return answer

    def _post(
        self, fields: Fields, prompt: str = STORY, tokens: int = TOKENS, key: str | None = None
    ) -> ProbeReply:
        return self.asker.post(CHAT, self.body(fields, prompt, tokens), key)

    def body(self, fields: Fields, prompt: str = STORY, tokens: int = TOKENS) -> dict[str, Any]:
        """The ordinary request with some fields more."""
        messages = [{"role": "user", "content": self.prefix + prompt}]
        return {"model": self.model, "messages": messages, self.limit: tokens, **fields}

    def _facts(self, server: ProbedServer) -> dict[str, str]:
        answers = [one for label in ("plain", "cool", "hot") for one in self.seen.get(label, ())]
        counted = [one.completion_tokens for one in answers if one.is_ok]
        nonsense = self.seen.get("nonsense", ())
        facts = {
            "usage": "in every answer"
            if counted and None not in counted
            else "missing in some answers"
            if any(counted)
            else "missing",
            "unknown parameters": "not known"
            if not nonsense
            else "let through"
            if all(one.is_ok for one in nonsense)
            else f"refused ({nonsense[0].error})",
        }
        context = (server.context or {}).get(self.model)
        if context:
            facts["context"] = f"{context} tokens"
        return facts

    def _problems(self) -> Iterator[str]:
        if self.prefix:
            yield (
                "OptiLLM runs an approach by default: the first request went through it, the others ask for "
                "none; the gateway chooses the approach, so start OptiLLM with --approach none"
            )
