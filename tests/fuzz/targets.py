"""Every parser that the guided fuzzer drives, with inputs to begin from and its share of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz import laws, test_ids, test_loaders, test_reading

CORPUS: Final = Path(__file__).parent / "corpus"
"""What a guided run has found to reach something new: a JSON list of texts for each target."""
HEADERS: Final = (
    "x-ratelimit-limit-requests: 144\nx-ratelimit-remaining-requests: 143\nx-ratelimit-reset-requests: 2m59s",
    "retry-after: 2\nx-ratelimit-reset-tokens-minute: 7.66s\nx-ratelimit-limit-tokens-minute: 6000",
    "x-litellm-model: a\nx-litellm-tags: b\nauthorization: Bearer c\nx-homelab-hop: d",
)
TIMES: Final = (
    "2m59.56s",
    "1764115260000",
    "2025-11-26T00:01:00Z",
    "Wed, 26 Nov 2025 00:01:00 +0000",
    "26 Nov 2025 00:01 +9999999999999",
)
QUOTA_ERRORS: Final = (
    (
        '{"error": {"message": "Rate limit reached for model `a` in organization `b` on tokens per minute '
        '(TPM): Limit 6000, Used 5000, Requested ~1500. Please try again in 7.66s"}}'
    ),
    (
        '{"error": {"message": "Rate limit exceeded: free-models-per-day", "metadata": {"headers": '
        '{"X-RateLimit-Reset": "1764115260000"}}}}'
    ),
    (
        '[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"@type": '
        '"type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": '
        '"GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"}]}, {"@type": '
        '"type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}]}}]'
    ),
    '{"errors": [{"code": 3036, "message": "x"}]}',
    '{"data": {"free_model_daily_requests": {"used": 3, "limit": 50, "remaining": 47}}}',
)
FORMS: Final = (
    '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nmain\r\n--x--\r\n',
    "model=main&model=other&prompt=a%20b",
)
STORED: Final = (
    (
        '{"used": {"requests/day@1": [1, {"w": 2}]}, "held": {"w:1": [9, {"requests/day@1": 1}, true]}, '
        '"limits": {"a": [1, 2, "b"]}, "closed": {"a": [1, 2, "c", "d", ""]}, "changes": 1, "by": {"w": 1}}'
    ),
    '{"held": {"a": [1, 2]}, "waiting": {"b": [1, 0, 3, 1]}, "ticket": 4}',
    (
        '{"worker": "w", "started_at": 1.0, "refusals": [], "backends": {"g": {"state": "there", '
        '"since": 1.0, "loaded": ["a"]}}, "roots": [], "paces": {"main": [1.5, 2]}}'
    ),
)
LINES: Final = ('{"message": {"content": "a"}, "done": false}\n{"done": true}\n', '[{"candidates": []},\n{}]')
ERRORS: Final = (
    "litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': 'no', 'code': 400}}",
    'Traceback (most recent call last):\n  File "/srv/a.py", line 1\nValueError: x at http://10.0.0.1:80/v1',
    "parameters: ['a', 'b'], for model=x. To drop these, set `litellm.drop_params=True`",
)
WORDS: Final = (
    "https://example.org/a.png",
    "data:image/png;base64,AA",
    "1.84.0rc1",
    "//10.0.0.1/x",
    "http://a.b\0/",
    "日本語",
)
NAMED_IDS: Final = tuple(text for text, _ in zip(test_ids.encoded(1), range(60), strict=False))


@dataclass(frozen=True, slots=True)
class Target:
    """One parser: what must hold for a text, where to begin, how many of a thousand inputs it gets."""

    law: Callable[[str], None]
    seeds: Sequence[str]
    share: int

    def kept(self, name: str) -> list[str]:
        """Its part of the corpus, by its name among `TARGETS`."""
        found: list[str] = json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8"))
        return found


TARGETS: Final = {
    "yaml": Target(test_loaders.load_yaml, test_loaders.PIECES, 20),
    "router": Target(test_loaders.load_router, test_loaders.ROUTERS, 4),
    "check": Target(laws.checked, test_loaders.ROUTERS, 2),
    "edits": Target(laws.edited, test_loaders.ROUTERS, 4),
    "state-url": Target(test_loaders.parse_state, test_loaders.URLS, 60),
    "reference": Target(test_loaders.parse_reference, test_loaders.REFERENCES, 40),
    "address": Target(test_loaders.parse_address, test_loaders.URLS, 20),
    "handles": Target(test_loaders.parse_handles, test_loaders.HANDLES, 50),
    "registry": Target(test_loaders.parse_registry, test_loaders.REGISTRY, 50),
    "routes": Target(test_loaders.parse_routes, test_loaders.PATTERNS, 2),
    "auto-router": Target(test_loaders.parse_auto_router, test_loaders.AUTO, 20),
    "env-file": Target(laws.env_file, ("A=b\n# c\nD='e f'\n",), 40),
    "token": Target(laws.token, test_reading.NAMES, 60),
    "approach": Target(laws.approach, test_reading.SELECTORS, 50),
    "tag": Target(laws.tag, test_reading.PROMPTS, 40),
    "body": Target(laws.body, test_reading.BODIES, 50),
    "form": Target(laws.form, FORMS, 40),
    "names": Target(laws.names, HEADERS, 40),
    "heard": Target(laws.heard, (*test_reading.SWALLOWED, *test_reading.EVENTS), 40),
    "events": Target(laws.events, test_reading.EVENTS, 40),
    "stream": Target(laws.stream, (*test_reading.EVENTS, *LINES), 40),
    "id": Target(laws.ids, NAMED_IDS, 50),
    "quota-error": Target(laws.quota_error, QUOTA_ERRORS, 50),
    "quota-headers": Target(laws.quota_headers, HEADERS, 40),
    "time": Target(laws.times, TIMES, 50),
    "hop": Target(laws.hop_header, ("aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb", "a, b,,c"), 40),
    "cookie": Target(laws.cookie, (laws.COOKIE,), 20),
    "error-text": Target(laws.error_text, ERRORS, 10),
    "stored": Target(laws.stored, STORED, 50),
    "words": Target(laws.words, WORDS, 40),
}
