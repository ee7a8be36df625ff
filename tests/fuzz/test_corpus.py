"""What the guided fuzzer has kept is run again: each law holds for each text."""

from __future__ import annotations

import time

import pytest

from tests.fuzz.guided import HANG_SECONDS, MOST_KEPT
from tests.fuzz.targets import CORPUS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_the_law_holds_for_the_kept_corpus(name: str) -> None:
    """And none of them takes as long as the fuzzer allows, in seconds of this process alone."""
    kept = TARGETS[name].kept(name)
    assert 0 < len(kept) <= MOST_KEPT
    TARGETS[name].law("")  # what is imported or read at first use
    for text in [*kept, *TARGETS[name].seeds]:
        before = time.process_time()
        TARGETS[name].law(text)
        assert time.process_time() - before < HANG_SECONDS, text


def test_the_corpus_has_no_target_that_is_gone() -> None:
    """Each file is a target's."""
    assert {path.stem for path in CORPUS.iterdir()} == {*TARGETS}
