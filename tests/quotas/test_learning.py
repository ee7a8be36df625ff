"""Each documented answer of a provider closes the right window for the right time; unknown ones nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.quotas.learning import Answered, corrections, has_limits, learn
from litellm_homelab.quotas.windows import Calendar, Per, Unit, Window
from litellm_homelab.state.account import Account, Corrections
from tests.quotas import shapes

NOW = datetime(2026, 11, 26, 18, 30, 20, tzinfo=UTC).timestamp()
HOUR, DAY = 3600, 86_400
UTC_MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC).timestamp()
PACIFIC_MIDNIGHT = datetime(2026, 11, 27, 8, tzinfo=UTC).timestamp()
MONTH_END = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
PACIFIC = "America/Los_Angeles"
GROUP = "groq/llama"
WINDOWS = (
    Window(Unit.REQUESTS, 1000, Calendar(Per.DAY), documented=True),
    Window(Unit.REQUESTS, 30, Calendar(Per.MINUTE), documented=True),
    Window(Unit.TOKENS, 12_000, Calendar(Per.MINUTE), documented=True),
)
GEMINI = {Per.DAY: Calendar(Per.DAY, PACIFIC)}
DAILY, MINUTELY = "GenerateRequestsPerDayPerProjectPerModel", "GenerateRequestsPerMinutePerProjectPerModel"
TOKENS = "GenerateContentInputTokensPerModelPerMinute"


def closed_by(answer: Answered, calendars: Mapping[Per, Calendar] | None = None) -> dict[str, float]:
    """What an answer closes, by the window's name, and until when."""
    windows = () if calendars else WINDOWS
    learned = learn(answer, windows, NOW)
    assert not learned.is_unknown
    found = corrections(learned, windows, calendars or {}, GROUP, NOW)
    return {name: one.until for name, one in found.closures.items()}


def minute(seconds: float) -> float:
    """So many seconds from now, in whole seconds."""
    return NOW + seconds


@pytest.mark.parametrize(
    ("body", "closed"),
    [
        (shapes.groq("requests per day (RPD)", 1000, 1000, 1, "9m38.016s"), {"requests/day": minute(579)}),
        (shapes.groq("requests per minute (RPM)", 30, 30, 1, "2s"), {"requests/minute": minute(2)}),
        (shapes.groq("tokens per minute (TPM)", 12000, 11990, 400, "1.95s"), {"tokens/minute": minute(2)}),
        (shapes.groq("tokens per day (TPD)", 100000, 99900, 500, "5m45.6s"), {"tokens/day": minute(346)}),
        (shapes.groq("input tokens per minute (ITPM)", 900, 900, 1, "7.66s"), {"tokens/minute": minute(8)}),
        (
            shapes.groq("seconds of audio per hour (ASH)", 7200, 7200, 30, "120ms"),
            {"credits/hour:closed": minute(1)},
        ),
        (
            shapes.groq("seconds of audio per day (ASD)", 28800, 28800, 9, "1h2m3s"),
            {"credits/day:closed": minute(3723)},
        ),
        (shapes.groq("requests per day (RPD)", 1000, 1000, 1, None), {"requests/day": UTC_MIDNIGHT}),
        (shapes.groq("requests per minute (RPM)", 30, 30, 1, "23h59m"), {"requests/minute": minute(60)}),
        (shapes.groq("tokens per minute (TPM)", 6000, 0, 7000, None), {}),
    ],
    ids=["rpd", "rpm", "tpm", "tpd", "itpm", "ash", "asd", "rpd without time", "rpm too long", "too large"],
)
def test_groqs_text(body: bytes, closed: dict[str, float]) -> None:
    """Groq's error names the window and the time; no window is closed for longer than it lasts."""
    assert closed_by(Answered(429, (), body, "groq")) == closed


@pytest.mark.parametrize("in_a_list", [False, True], ids=["object", "list"])
@pytest.mark.parametrize(
    ("violations", "closed"),
    [
        ([shapes.violation(DAILY, "250")], {"requests/day": PACIFIC_MIDNIGHT}),
        ([shapes.violation(MINUTELY, "10")], {"requests/minute": minute(12)}),
        ([shapes.violation(TOKENS, "250000", "input_token_count")], {"tokens/minute": minute(12)}),
        (
            [shapes.violation(MINUTELY, "10"), shapes.violation(DAILY, "250")],
            {"requests/minute": minute(12), "requests/day": PACIFIC_MIDNIGHT},
        ),
        ([shapes.violation(DAILY, None)], {"requests/day": PACIFIC_MIDNIGHT}),
        (
            [shapes.violation(DAILY, "0"), shapes.violation(MINUTELY, "0")],
            {f"absent:{GROUP}": minute(DAY)},
        ),
    ],
    ids=["day", "minute", "tokens", "both", "no value", "zero"],
)
def test_geminis_quota_failure(violations: list[object], closed: dict[str, float], in_a_list: bool) -> None:
    """`retryDelay` is for a minute alone; a day closes to midnight Pacific; 0 is not in the free tier."""
    body = shapes.gemini(violations, in_a_list=in_a_list)
    assert closed_by(Answered(429, (), body, "gemini"), GEMINI) == closed


def test_gemini_without_violations_is_asked_again_after_its_delay() -> None:
    """An error that names no limit has its delay and no window."""
    assert closed_by(Answered(429, (), shapes.gemini(None, "34.07s"), "gemini"), GEMINI) == {
        "retry": int(NOW) + 35
    }


@pytest.mark.parametrize(
    ("which", "reset", "closed"),
    [
        ("free-models-per-day", str(int(UTC_MIDNIGHT * 1000)), {"requests/day": UTC_MIDNIGHT}),
        ("free-models-per-day-high-balance", None, {"requests/day": UTC_MIDNIGHT}),
        ("free-models-per-min", str(int(NOW * 1000) + 15_000), {"requests/minute": minute(15)}),
        ("free-models-per-min", str(int(NOW * 1000) - 15_000), {}),
    ],
    ids=["day", "no reset", "minute", "over"],
)
def test_openrouters_metadata(which: str, reset: str | None, closed: dict[str, float]) -> None:
    """The text says which limit, the metadata until when, in milliseconds since the epoch."""
    assert closed_by(Answered(429, (), shapes.openrouter(which, reset=reset), "openrouter")) == closed


@pytest.mark.parametrize(
    ("code", "closed"),
    [
        (3036, {"credits/day:closed": UTC_MIDNIGHT}),
        ("3036", {"credits/day:closed": UTC_MIDNIGHT}),
        (3040, {}),
    ],
)
def test_cloudflare_3036_closes_the_day_and_3040_nothing(code: int, closed: dict[str, float]) -> None:
    """Both are a 429: the free allocation is used up, or the servers are busy."""
    assert closed_by(Answered(429, (), shapes.cloudflare(code), "cloudflare")) == closed


@pytest.mark.parametrize(
    ("provider", "closed"),
    [
        ("huggingface", {"credits/month:payment": MONTH_END}),
        ("openrouter", {"credits/hour:payment": minute(HOUR)}),
        ("", {"credits/hour:payment": minute(HOUR)}),
    ],
)
def test_a_402_is_about_credits(provider: str, closed: dict[str, float]) -> None:
    """Hugging Face's credits are monthly; any other account is asked again after an hour."""
    assert closed_by(Answered(402, (), b"payment required", provider)) == closed


@pytest.mark.parametrize(
    ("headers", "provider", "closed"),
    [
        (
            {"remaining-requests": "0", "limit-requests": "1000", "reset-requests": "2m59.56s"},
            "groq",
            ("day", 180),
        ),
        (
            {"remaining-requests": "0", "limit-requests": "30", "reset-requests": "2s"},
            "openai",
            ("minute", 2),
        ),
        ({"remaining-requests-day": "0", "reset-requests-day": "33011.38"}, "cerebras", ("day", 33012)),
        ({"remaining-requests-hour": "0", "reset-requests-hour": "90s"}, "cerebras", ("hour", 90)),
        ({"limit-req-minute": "60", "remaining-req-minute": "0"}, "mistral", ("minute", 40)),
        ({"remaining-requests": "0", "limit-requests": "30", "reset-requests": "9s"}, "", ("minute", 9)),
    ],
    ids=["groq", "openai", "cerebras", "hourly", "mistral", "by its limit"],
)
def test_headers_close_a_window(headers: dict[str, str], provider: str, closed: tuple[str, int]) -> None:
    """Where nothing remains, the window is closed until its reset; each provider means its own."""
    pairs = tuple((f"X-RateLimit-{name.title()}", value) for name, value in headers.items())
    assert closed_by(Answered(200, pairs, b"", provider)) == {f"requests/{closed[0]}": minute(closed[1])}


def test_headers_correct_the_count_and_the_limit() -> None:
    """A measured limit beats a documented one, and what the provider has counted is used."""
    headers = (("x-ratelimit-limit-requests", "14400"), ("x-ratelimit-remaining-requests", "14370"))
    learned = learn(Answered(200, headers, b"", "groq"), WINDOWS, NOW)
    found = corrections(learned, WINDOWS, {}, GROUP, NOW)
    account = Account().corrected(found, "w")
    day = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
    assert account.limits["requests/day"].limit == 14400
    assert account.total([f"requests/day@{int(day)}"]) == 30
    assert found.closures == {}


@pytest.mark.parametrize(
    ("retry", "closed"),
    [("7", {"retry": minute(7)}), ("Thu, 26 Nov 2026 18:31:00 GMT", {"retry": minute(40)})],
)
def test_a_sparse_429_is_asked_again_when_it_says(retry: str, closed: dict[str, float]) -> None:
    """Mistral, Cohere and NVIDIA send a 429 that names no window; `retry-after` is all there is."""
    assert closed_by(Answered(429, (("Retry-After", retry),), b"{}", "mistral")) == closed


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (429, {}, b""),
        (429, {}, b"<html>too many</html>"),
        (429, {}, json.dumps({"error": {"message": "Rate limit reached: requests per day"}}).encode()),
        (429, {}, json.dumps({"error": "slow down"}).encode()),
        (429, {}, json.dumps({"error": {"status": "RESOURCE_EXHAUSTED"}}).encode()),
        (429, {}, shapes.gemini([shapes.violation("SomethingElse", "3")], None)),
        (429, {}, json.dumps({"errors": [{"code": True}, {"code": None}, 3036]}).encode()),
        (429, {}, b"[" * 100_000),
        (429, {"retry-after": "soon"}, b""),
        (200, {"x-ratelimit-remaining-requests": "0"}, b""),
        (200, {"x-ratelimit-remaining-requests-day": "none"}, b""),
        (200, {"x-ratelimit-remaining-requests-day": "-1"}, b""),
        (200, {"x-ratelimit-remaining-requests-day": "5", "x-ratelimit-reset-requests-day": "tomorrow"}, b""),
        (200, {"x-ratelimit-reset-requests-day": "5s"}, b""),
        (200, {"x-ratelimit-budget": "0"}, b""),
    ],
)
def test_unknown_shapes_change_nothing(status: int, headers: dict[str, str], body: bytes) -> None:
    """What is not documented closes nothing, and is reported as unknown."""
    learned = learn(Answered(status, tuple(headers.items()), body), (), NOW)
    assert learned.is_unknown
    assert not corrections(learned, WINDOWS, {}, GROUP, NOW)


@pytest.mark.parametrize("status", [200, 400, 401, 500, 503])
def test_other_answers_say_nothing(status: int) -> None:
    """An answer without a word on limits is not counted, whatever its body reads like."""
    body = shapes.groq("requests per day (RPD)", 1000, 1000, 1, "9m38.016s")
    learned = learn(Answered(status, (("retry-after", "9"),), body), WINDOWS, NOW)
    assert (learned.observations, learned.retry_at, learned.is_unknown) == ((), None, False)


values = st.one_of(st.text(max_size=30), st.from_regex(r"\A[0-9dhms.]{1,20}\Z"), st.integers().map(str))
names = st.from_regex(r"\Ax-ratelimit-(limit|remaining|reset)(-(requests|tokens))?(-(minute|day|month))?\Z")
numbers = st.integers(-5, 10**20).map(str)
bodies = st.one_of(
    st.binary(max_size=60),
    st.builds(
        shapes.openrouter, st.sampled_from(["free-models-per-day", "free-models-per-min"]), numbers, numbers
    ),
    st.builds(
        lambda quota, value, delay: shapes.gemini([shapes.violation(quota, value)], delay),
        st.sampled_from([DAILY, MINUTELY, TOKENS, "PerWeek"]),
        numbers,
        values,
    ),
    st.builds(
        shapes.groq,
        st.sampled_from(["requests per day (RPD)", "tokens per minute (TPM)"]),
        st.integers(0, 10**20),
        st.integers(0, 10**20),
        st.integers(0, 10**20),
        st.one_of(st.none(), values),
    ),
)


@settings(max_examples=300)
@given(
    status=st.sampled_from([200, 402, 429]),
    headers=st.dictionaries(names, values, max_size=6),
    body=bodies,
    provider=st.sampled_from(["", "groq", "gemini", "huggingface"]),
)
def test_no_window_is_closed_for_longer_than_it_lasts(
    status: int, headers: dict[str, str], body: bytes, provider: str
) -> None:
    """Whatever an upstream sends: nothing breaks, and each closure ends by its own unit."""
    answer = Answered(status, tuple(headers.items()), body, provider)
    found = corrections(learn(answer, WINDOWS, NOW), WINDOWS, {}, GROUP, NOW)
    assert isinstance(found, Corrections)
    longest = {"minute": 60, "hour": HOUR, "day": 25 * HOUR, "month": 32 * DAY}
    for name, one in found.closures.items():
        per = name.partition("/")[2].partition(":")[0]
        assert NOW < one.until <= NOW + longest.get(per, DAY) + 1
        assert one.since <= NOW


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ([], False),
        ([(b"Content-Type", b"application/json"), (b"date", b"now")], False),
        ([(b"content-type", b"application/json"), (b"X-RateLimit-Remaining-Requests", b"4")], True),
        ([(b"Retry-After", b"9")], True),
    ],
    ids=["none", "others", "limits", "retry-after"],
)
def test_headers_without_limits_are_not_read(raw: list[tuple[bytes, bytes]], found: bool) -> None:
    """Whatever the case of their names."""
    assert has_limits(raw) is found
