"""Questions and replies: what is read of an answer, and what is repeated of it."""

from __future__ import annotations

import pytest

from litellm_homelab.verify.exchange import LONGEST, NoReply, VerifyQuestion, VerifyReply, plain


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            VerifyReply(404, {}, '{"error": {"message": "m", "type": "model_not_found"}}'),
            "404 model_not_found",
        ),
        (VerifyReply(500, {}, '{"error": {"message": "it broke"}}'), "500 it broke"),
        (VerifyReply(401, {}, '{"error": "Invalid API key"}'), "401 Invalid API key"),
        (VerifyReply(404, {}, '{"detail": "Not Found"}'), "404 Not Found"),
        (VerifyReply(200, {"content-type": "text/html"}, "x"), "200 with a web page"),
        (VerifyReply(302, {"location": "/login"}), "302 to /login"),
        (VerifyReply(204), "204"),
        (VerifyReply(failure=NoReply.REFUSED), "the connection was refused"),
        (VerifyReply(failure=NoReply.TLS, detail="bad"), "no TLS connection could be made (bad)"),
        (VerifyReply(200, {}, "[" * 100_000), "200"),
    ],
)
def test_what_an_answer_is_in_a_few_words(reply: VerifyReply, said: str) -> None:
    """The type of an error before its text."""
    assert reply.said == said


@pytest.mark.parametrize(
    ("steps", "found"),
    [(("a", 0, "b"), 1), (("a", 1), None), (("a", "b"), None), (("x",), None), ((0,), None)],
)
def test_a_part_of_the_body(steps: tuple[str | int, ...], found: object) -> None:
    """None where there is none."""
    assert VerifyReply(200, {}, '{"a": [{"b": 1}]}').part(*steps) == found


def test_what_is_repeated_is_one_short_line_without_keys() -> None:
    """A server's own text is not trusted."""
    said = plain("\x1b[2J\nsk-abcdefghijklmnop " + "x" * 1000)
    assert "\x1b" not in said
    assert "\n" not in said
    assert "sk-" not in said
    assert len(said) == LONGEST


def test_the_name_of_a_question() -> None:
    """Its method follows from its body."""
    assert (VerifyQuestion("/a").name, VerifyQuestion("/a", body={}).name) == ("GET /a", "POST /a")
