"""Accounts of quotas: all windows or none, leases, what is learned, what a lost store gets back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.state import account as accounts
from litellm_homelab.state.account import Account, Closure, Corrections, KnownLimit, Use

DAY = Use("groq", "requests/day", (0,), 3, 1)
MINUTE = Use("groq", "requests/minute", (60,), 2, 1)
TOKENS = Use("shared", "tokens/day", (0,), 100, 40)
KEYS = {"groq": ["requests/day@0", "requests/minute@60"], "shared": ["tokens/day@0"]}


def empty() -> dict[str, Account]:
    """Both accounts before anything was used."""
    return {"groq": Account(), "shared": Account()}


def used(found: accounts.Accounts) -> list[int]:
    """What is used of the three windows."""
    return [found[name].total([key]) for name, keys in KEYS.items() for key in keys]


def take(found: accounts.Accounts, owner: str, *uses: Use, now: int = 0) -> accounts.Reserved:
    """Reserve for a minute."""
    return accounts.reserve(found, uses or (DAY, MINUTE, TOKENS), owner, "main", 0.0, now, now + 60_000)


def test_all_windows_of_all_accounts_or_none() -> None:
    """Where one window has no room, nothing is counted in the others."""
    first = take(empty(), "a:1")
    second = take(first.accounts, "a:2")
    third = take(second.accounts, "a:3")
    assert [one.is_granted for one in (first, second, third)] == [True, True, False]
    assert used(third.accounts) == [2, 2, 80]


def test_an_owner_is_granted_once() -> None:
    """Who has reserved already gets the same again, and nothing more is counted."""
    found = take(take(empty(), "a:1").accounts, "a:1")
    assert found.is_granted
    assert used(found.accounts) == [1, 1, 40]


@pytest.mark.parametrize(
    ("is_sent", "left"), [(False, [0, 0, 0]), (True, [1, 1, 40])], ids=["unsent", "sent"]
)
def test_a_lease_that_expires(is_sent: bool, left: list[int]) -> None:
    """It was used if its attempt had been sent, and else it is returned."""
    found = take(empty(), "dead:1").accounts
    if is_sent:
        found = accounts.send(found, (DAY, MINUTE, TOKENS), "dead:1", 10, 60_010, settles=True).accounts
    later = {name: one.at(70_000) for name, one in found.items()}
    assert used(later) == left
    assert all(one.held == {} for one in later.values())


def test_a_request_that_is_sent_after_its_lease_is_counted_again() -> None:
    """It had been returned, and now it leaves after all."""
    found = {name: one.at(70_000) for name, one in take(empty(), "a:1").accounts.items()}
    sent = accounts.send(found, (DAY, MINUTE, TOKENS), "a:1", 70_000, 130_000, settles=False).accounts
    assert used(sent) == [1, 1, 40]
    assert all(one.held == {} for one in sent.values())


def test_a_request_that_waits_over_the_reset_is_counted_in_the_new_window() -> None:
    """What counts is when it is sent."""
    found = take(empty(), "a:1").accounts
    tomorrow = Use("groq", "requests/day", (86_400,), 3, 1)
    sent = accounts.send(found, (tomorrow, MINUTE, TOKENS), "a:1", 10, 60_010, settles=False).accounts
    assert used(sent) == [0, 1, 40]
    assert sent["groq"].total(["requests/day@86400"]) == 1


def test_what_was_not_sent_is_returned_once() -> None:
    """A second release changes nothing."""
    found = accounts.release(take(take(empty(), "a:1").accounts, "a:2").accounts, "a:1", 0)
    assert used(accounts.release(found, "a:1", 0)) == used(found) == [1, 1, 40]


def test_tokens_are_settled_by_usage() -> None:
    """The difference to the estimate is counted, whether the lease is there or not."""
    found = accounts.send(
        take(empty(), "a:1").accounts, (DAY, MINUTE, TOKENS), "a:1", 0, 9, settles=True
    ).accounts
    for now in (5, 50):
        settled = accounts.settle(found, "a:1", {"shared": {"tokens/day@0": -15}}, now)
        assert used(settled) == [1, 1, 25]
        assert all(one.held == {} for one in settled.values())


def test_an_estimate_larger_than_the_window_needs_an_empty_one() -> None:
    """It is not refused for ever."""
    large = Use("shared", "tokens/day", (0,), 100, 5000)
    found = take(empty(), "a:1", large)
    assert found.is_granted
    assert found.accounts["shared"].total(large.keys) == 100
    assert not take(found.accounts, "a:2", large).is_granted


@pytest.mark.parametrize(
    ("documented", "said", "granted"),
    [(True, 5, 5), (True, 1, 1), (False, 5, 3), (False, 1, 1)],
    ids=["preset, more", "preset, less", "own, more", "own, less"],
)
def test_what_the_provider_says_of_a_limit(documented: bool, said: int, granted: int) -> None:
    """It takes the place of a documented one; the operator's own is raised by nobody."""
    learned = Corrections(limits={"requests/day": KnownLimit(said, 4, "header")})
    found = {"groq": Account().corrected(learned, "a")}
    use, number = Use("groq", "requests/day", (0,), 3, 1, documented), 0
    while (taken := take(found, f"a:{number}", use)).is_granted:
        found, number = dict(taken.accounts), number + 1
    assert number == granted


def test_a_weaker_word_does_not_replace_a_stronger_one() -> None:
    """The body of an error says less than a header; an equal source replaces the one before."""
    found = Account().corrected(Corrections(limits={"x": KnownLimit(9, 4, "header")}), "a")
    assert found.corrected(Corrections(limits={"x": KnownLimit(5, 3, "body")}), "a").limits["x"].limit == 9
    assert found.corrected(Corrections(limits={"x": KnownLimit(5, 4, "header")}), "a").limits["x"].limit == 5


def test_a_provider_raises_the_count_and_does_not_lower_it() -> None:
    """Answers may overtake one another."""
    found = take(empty(), "a:1").accounts["groq"]
    assert found.corrected(Corrections(used={"requests/day@0": 7}), "a").total(["requests/day@0"]) == 7
    assert found.corrected(Corrections(used={"requests/day@0": 0}), "a").total(["requests/day@0"]) == 1


@pytest.mark.parametrize(
    ("group", "at", "granted"),
    [("main", 50, False), ("main", 9, True), ("main", 100, True), ("fast", 50, True)],
    ids=["closed", "before", "after", "another group"],
)
def test_a_closure_lasts_from_when_to_when(group: str, at: float, granted: bool) -> None:
    """A clock that goes back to before it does not know of it."""
    learned = Corrections({"absent:main": Closure(10, 100, "absent", "body", "main")})
    found = {"groq": Account().corrected(learned, "a")}
    assert accounts.reserve(found, (DAY,), "a:1", group, at, 0, 9).is_granted == granted


@pytest.mark.parametrize("order", ["ab", "ba", "aba"])
@pytest.mark.parametrize("keeps", [0, 1, 5, 11])
def test_workers_restore_what_a_store_has_lost(keeps: int, order: str) -> None:
    """Each worker has its own counts exactly; together they have all, though they go on in between."""
    large = Use("groq", "requests/day", (0,), 100, 1)
    found, history, known = Account(), [Account()], {"a": Account(), "b": Account()}

    def once(worker: str, owner: str, account: Account) -> Account:
        if account.has_lost(known[worker], worker):
            account = account.merged(known[worker], worker)
        taken = take({"groq": account}, owner, large).accounts
        known[worker] = accounts.send(taken, (large,), owner, 0, 9, settles=False).accounts["groq"]
        return known[worker]

    for number in range(12):
        found = once("ab"[number % 3 == 0], f"{'ab'[number % 3 == 0]}:{number}", found)
        history.append(found)
    lost = history[keeps]
    for number in range(9):
        worker = order[min(number // 3, len(order) - 1)]
        lost = once(worker, f"{worker}:again{number}", lost)
    assert lost.total(large.keys) == 12 + 9


def test_a_request_that_comes_too_late_is_not_sent() -> None:
    """Its reservation has expired, and others have used what was returned."""
    found = take(empty(), "a:1").accounts
    for number in range(2, 4):
        found = take(found, f"a:{number}", now=70_000).accounts
    late = accounts.send(found, (DAY, MINUTE, TOKENS), "a:1", 70_000, 130_000, settles=False)
    assert not late.is_granted
    assert used(late.accounts) == [2, 2, 80]


def test_old_windows_go_and_the_last_stay() -> None:
    """As many are kept as were used last; a clock far ahead pushes the true day out of nothing."""
    found = Account()
    for start in (0, 10**12, 0, 10**11):
        found = found.changed("a").add("a", {f"requests/day@{start}": 1})
    assert found.total(["requests/day@0"]) == 2
    for start in range(100):
        found = found.changed("a").add("a", {f"requests/day@{start}": 1})
    assert len(found.used) == accounts.KEPT
    assert found.total(["requests/day@99"]) == 1


def test_counts_of_many_workers_are_folded() -> None:
    """The sum stays, however often the gateway was started anew in one month."""
    found = Account()
    for number in range(200):
        found = found.changed("a").add(f"w{number}", {"requests/month@0": 1})
    assert found.total(["requests/month@0"]) == 200
    assert len(found.used["requests/month@0"].by) <= accounts.SHARDS + 1


uses = st.lists(
    st.builds(
        Use,
        st.sampled_from(["groq", "shared"]),
        st.sampled_from(["a", "b"]),
        st.just((0,)),
        st.one_of(st.none(), st.integers(0, 9)),
        st.integers(0, 5),
    ),
    max_size=3,
)

whats = st.sampled_from(["reserve", "send", "settle", "release"])


@settings(max_examples=200)
@given(todo=st.lists(st.tuples(whats, st.integers(0, 3), uses)))
def test_an_account_reads_as_it_was_written(todo: list[tuple[str, int, list[Use]]]) -> None:
    """Through any history; and no count is ever below zero."""
    found: accounts.Accounts = empty()
    for now, (what, number, wanted) in enumerate(todo):
        owner = f"w:{number}"
        if what == "reserve":
            found = accounts.reserve(found, wanted, owner, "main", 0.0, now, now + 3).accounts
        elif what == "send":
            found = accounts.send(found, wanted, owner, now, now + 3, settles=bool(now % 2)).accounts
        elif what == "settle":
            found = accounts.settle(found, owner, {}, now)
        else:
            found = accounts.release(found, owner, now)
        for one in found.values():
            assert accounts.read(accounts.written(one)) == one
            assert all(sum(count.by.values()) >= 0 for count in one.used.values())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"used": 1}', '{"used": {"a": 1}}', "null"])
def test_what_is_not_an_account(text: str) -> None:
    """Something else under our key is an error, not an empty account."""
    with pytest.raises(ValueError, match=r"."):
        accounts.read(text)


@settings(max_examples=200)
@given(before=st.lists(uses, max_size=4), wanted=uses, settles=st.booleans())
def test_to_take_is_to_reserve_and_to_send_in_one_step(
    before: list[list[Use]], wanted: list[Use], settles: bool
) -> None:
    """The same is granted, counted and held; where it is not granted, nothing is."""
    found: accounts.Accounts = empty()
    for number, earlier in enumerate(before):
        found = accounts.take(found, earlier, f"w:{number}", "main", 0.0, 0, 60, settles=True).accounts
    taken = accounts.take(found, wanted, "w:me", "main", 0.0, 0, 60, settles=settles)
    reserved = accounts.reserve(found, wanted, "w:me", "main", 0.0, 0, 60)
    assert taken.is_granted == reserved.is_granted
    if not taken.is_granted:
        assert taken.accounts == found
        return
    # What is returned on the way to being sent is in the window again before it is counted.
    sent = accounts.send(reserved.accounts, wanted, "w:me", 0, 60, settles=settles)
    for name, one in taken.accounts.items():
        assert {key: count.total for key, count in one.used.items()} == {
            key: count.total for key, count in sent.accounts[name].used.items()
        }
        assert one.held == sent.accounts[name].held


def test_what_has_left_is_counted_without_room() -> None:
    """A client sent it where nothing could be asked; no closure matters either."""
    found = {"groq": Account(closed={"requests/day": Closure(0, 100, "closed", "body")})}
    use = Use("groq", "requests/day", (0,), 1, 1)
    for number in range(3):
        found = dict(
            accounts.take(
                found, (use,), f"a:{number}", "main", 5.0, 0, 60, settles=False, has_left=True
            ).accounts
        )
    assert found["groq"].total(use.keys) == 3
    assert not accounts.take(found, (use,), "a:9", "main", 5.0, 0, 60, settles=False).is_granted
