"""
The attacks that work on stock LiteLLM in front of OptiLLM, and do not work here.

Each runs twice on the same configuration: on stock LiteLLM, where it must work, else it proves nothing; and
with the hooks, where it must not. They use the master key: whoever has less may do less.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.real.lane import coder
from tests.real.lane.attacking import TAG
from tests.real.lane.attacks import ATTACKS
from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import Rig, rig

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def _stock(coder_environ: dict[str, str]) -> Iterator[Rig]:
    with rig(ROUTER, hooks=False, environ=coder_environ) as running:
        yield running


@pytest.fixture
def stock(_stock: Rig) -> Rig:
    """LiteLLM alone, nothing seen yet."""
    _stock.clear()
    return _stock


@pytest.mark.parametrize("name", ATTACKS)
def test_works_on_stock_litellm(stock: Rig, name: str) -> None:
    """Without the hooks the attack does what it is meant to do."""
    attack = ATTACKS[name]
    answer = attack.send(stock)

    assert attack.worked(stock, answer), (answer.status_code, answer.text, stock.returns)


@pytest.mark.parametrize("name", ATTACKS)
def test_fails_with_the_hooks(current: Rig, name: str) -> None:
    """With them it is refused before OptiLLM is called, or served without doing any harm."""
    attack = ATTACKS[name]
    answer = attack.send(current)

    assert not attack.worked(current, answer), (answer.status_code, answer.text, current.returns)
    if attack.refused is None:
        assert answer.status_code == 200, answer.text
    else:
        assert answer.status_code in {400, 422}
        assert attack.refused in answer.text
        assert current.optillm_calls == []


# --- code on the OptiLLM host ----------------------------------------------------------------------

EXECUTE = {
    "tag": (TAG.format("executecode"), {}),
    "field": ("", {"optillm_approach": "executecode"}),
    "beside an allowed approach": ("", {"optillm_approach": "executecode&re2"}),
}


def order_code(lane: Rig, how: str, marker: Path) -> httpx.Response:
    """Have the model write code that makes a file, and OptiLLM run it."""
    before, fields = EXECUTE[how]
    text = f"{before} Please {coder.ORDER}open({str(marker)!r}, 'w').close()"
    return lane.post(
        "/v1/chat/completions",
        {"model": "code", "messages": [{"role": "user", "content": text}], **fields},
    )


@pytest.mark.parametrize("how", EXECUTE)
def test_code_runs_on_stock_litellm(stock: Rig, tmp_path: Path, how: str) -> None:
    """Any chat text makes OptiLLM run code that a model wrote."""
    answer = order_code(stock, how, tmp_path / "marker")

    assert (tmp_path / "marker").exists(), answer.text


@pytest.mark.parametrize("how", EXECUTE)
def test_no_code_runs_with_the_hooks(current: Rig, tmp_path: Path, how: str) -> None:
    """The same request is refused before OptiLLM is called."""
    answer = order_code(current, how, tmp_path / "marker")

    assert answer.status_code == 400
    assert current.optillm_calls == []
    assert not (tmp_path / "marker").exists()
