"""The generator and the counter that the fuzzers rely on."""

from __future__ import annotations

import pytest

from tests.fuzz import LONGEST, OutOfSteps, mutations, steps

SEEDS = ("homelab: {showroom: {handles: [main]}}\n", '{"handle": "main"}')


def test_the_same_inputs_come_in_every_run() -> None:
    """A failure can be repeated: the inputs depend on the arguments alone."""
    first = [*mutations(SEEDS, 500)]
    assert first == [*mutations(SEEDS, 500)]
    assert first != [*mutations(SEEDS, 500, seed=1)]
    assert len(set(first)) > 400
    assert max(map(len, first)) <= LONGEST


@pytest.mark.parametrize("size", [1, 10, 100])
def test_steps_are_counted(size: int) -> None:
    """Twice the work is twice the steps, whatever else the machine does."""

    def work(times: int) -> None:
        for _ in range(times):
            pass

    assert steps(lambda: work(2 * size)) - steps(lambda: work(size)) == 2 * size


def test_work_without_end_is_stopped() -> None:
    """The counter ends what takes more steps than allowed."""

    def work() -> None:
        while True:
            pass

    with pytest.raises(OutOfSteps):
        steps(work, limit=1000)
