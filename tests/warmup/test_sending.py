"""Sending until each request is answered, refused, or the time is over."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from litellm_homelab.probe.asking import BudgetSpent
from litellm_homelab.probe.target import target
from litellm_homelab.warmup.planning import WarmupStep, classifier, step
from litellm_homelab.warmup.sending import PAUSE, Warmer

WHERE = target("http://box.test:8000", "k9-of-the-test-0123456789")
CHAT = {"choices": [{"index": 0, "message": {"content": "OK"}}]}
EMBEDDED = {"data": [{"embedding": [0.1]}]}


class Server:
    """Answers with statuses in order, the last one for ever; counts what it was asked for."""

    def __init__(self, *statuses: int, document: object = CHAT) -> None:
        self.statuses, self.document = list(statuses), document
        self.asked: list[str] = []
        self.paused: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """For `httpx.MockTransport`."""
        self.asked.append(json.loads(request.content)["model"] if request.content else request.url.path)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise httpx.ConnectError("Connection refused", request=request)
        return httpx.Response(status, json=self.document if status == 200 else {"error": "busy"})

    def warmer(self, seconds: float = 30.0) -> Warmer:
        """One that does not wait between rounds."""
        return Warmer(seconds, sleep=self.paused.append, transport=httpx.MockTransport(self))


def asked(model: str, mode: str = "chat") -> WarmupStep:
    """A request."""
    found = step(model, WHERE, mode)
    assert found is not None
    return found


@pytest.mark.parametrize("passing", [0, 408, 429, 500, 502, 503, 504])
def test_what_passes_is_waited_for(passing: int) -> None:
    """A server that starts, loads, or waits for another."""
    server = Server(passing, passing, 200)
    (result,) = server.warmer().send((asked("tide"),))
    assert (result.why, len(server.asked), server.paused) == ("", 3, [PAUSE, PAUSE])


@pytest.mark.parametrize(("status", "hint"), [(401, "--key-env"), (403, "may not"), (404, "not known")])
def test_what_stays_is_not_repeated(status: int, hint: str) -> None:
    """A wrong key or name: with what to do."""
    server = Server(status)
    (result,) = server.warmer().send((asked("tide"),))
    assert hint in result.why
    assert result.why.startswith(f"{status}: busy; ")
    assert len(server.asked) == 1


def test_the_others_do_not_wait_for_one() -> None:
    """Each is asked for once in every round."""
    server = Server(503, 200, 200, 200)
    found = [one.step.name for one in server.warmer().send((asked("slow"), asked("tide"), asked("sea")))]
    assert found == ["tide", "sea", "slow"]
    assert server.asked == ["slow", "tide", "sea", "slow"]


def test_an_optillm_without_the_approach_is_not_waited_for() -> None:
    """Its own client refuses the field; that does not pass."""
    said = {"error": "Completions.create() got an unexpected keyword argument 'optillm_approach'"}
    asked_for: list[int] = []

    def server(_: httpx.Request) -> httpx.Response:
        asked_for.append(1)
        return httpx.Response(500, json=said)

    warmer = Warmer(9.0, transport=httpx.MockTransport(server))
    (result,) = warmer.send((classifier("base", WHERE),))
    assert result.why.startswith("this OptiLLM has no approach router; it needs torch")
    assert len(asked_for) == 1


def test_the_time_ends_it() -> None:
    """With what was seen last of each; the rest was not tried."""
    server = Server(503)
    (result,) = server.warmer(seconds=1.0).send((asked("tide"),))
    assert (result.why, server.paused) == ("503: busy", [])
    late = list(server.warmer(seconds=-1.0).send((asked("tide"),)))
    assert [one.why for one in late] == ["not tried: the time is over"]


@pytest.mark.parametrize(
    ("mode", "document", "is_loaded"),
    [
        ("chat", CHAT, True),
        ("chat", {"error": {"message": "no"}}, False),
        ("chat", {}, False),
        ("completion", {"choices": [{"text": "OK"}]}, True),
        ("embedding", EMBEDDED, True),
        ("embedding", {"data": []}, False),
        ("embedding", {"error": "no"}, False),
    ],
)
def test_only_an_answer_is_one(mode: str, document: object, is_loaded: bool) -> None:
    """A 200 with something else in it is not."""
    (result,) = Server(200, document=document).warmer().send((asked("tide", mode),))
    assert (not result.why) == is_loaded


def test_a_redirect_is_not_followed() -> None:
    """It would take the key elsewhere."""
    hosts: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"location": "http://elsewhere.test/"})

    warmer = Warmer(5.0, transport=httpx.MockTransport(server))
    (result,) = warmer.send((asked("tide"),))
    warmer.close()
    assert ({*hosts}, "redirects" in result.why) == ({"box.test"}, True)


def test_the_list_is_waited_for() -> None:
    """And read in any shape."""
    server = Server(0, 503, 200, document={"data": [{"id": "tide"}, {"id": 5}, 7]})
    assert server.warmer().listed(WHERE) == ["tide"]
    documents: list[object] = [[], {"data": 5}, None]
    for document in documents:
        assert Server(200, document=document).warmer().listed(WHERE) == []
    assert Server(404).warmer().listed(WHERE) == []
    with pytest.raises(BudgetSpent):
        Server(0).warmer(seconds=0.5).listed(WHERE)


def test_progress_says_what_it_waits_for() -> None:
    """With the reason."""
    said: list[str] = []
    server = Server(503, 200)
    transport: Callable[[httpx.Request], httpx.Response] = server
    warmer = Warmer(9.0, said.append, server.paused.append, httpx.MockTransport(transport))
    list(warmer.send((classifier("tide", WHERE),)))
    assert said == ["tide (router)", "waiting for tide (router): 503: busy", "tide (router)"]
