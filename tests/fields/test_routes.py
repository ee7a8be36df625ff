"""Which API a route belongs to."""

from __future__ import annotations

import pytest

from litellm_homelab.access.table import Access
from litellm_homelab.access.table import reviewed as routes
from litellm_homelab.fields.lists import reviewed
from litellm_homelab.fields.routes import api_of

GUARDED = sorted(key for key, access in routes().items() if access is Access.GUARDED)
COUNTS = {
    *("/v1/messages/count_tokens", "/v1beta/models/{model_name:path}:countTokens"),
    "/models/{model_name:path}:countTokens",
}
"""Routes that are answered in this process: no field of theirs is sent anywhere."""


def test_every_guarded_route_has_an_api() -> None:
    """Except those that list handles or count tokens: no route that serves models is left out."""
    assert {path for _, path in GUARDED if api_of(path) is None} == {
        *COUNTS,
        *("/models", "/models/{model_id}", "/v1/models", "/v1/models/{model_id}", "/cursor/models"),
        *("/cursor/v1/models", "/model/info", "/v1/model/info", "/model_group/info"),
    }


@pytest.mark.parametrize(
    "path", [path for method, path in GUARDED if method == "POST" and path not in COUNTS]
)
def test_what_makes_something_has_documented_fields(path: str) -> None:
    """Beside the routes of one thing, which take nothing but its id."""
    api = api_of(path)
    assert api is not None
    assert reviewed().fields_of(api) or api.endswith("_item")


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/v1/chat/completions", "chat"),
        ("/engines/{model:path}/chat/completions", "chat"),
        ("/openai/deployments/{model:path}/embeddings", "embeddings"),
        ("/cursor/chat/completions", "cursor"),
        ("/openai/v1/responses/compact", "compact"),
        ("/v1/responses/{response_id}", "responses_item"),
        ("/models/{model_name:path}:generateContent", "generate"),
        ("/v1/files/{file_id:path}/content", "files_item"),
        ("/v1/videos/edits", "videos"),
        ("/v1/videos/{video_id}", "videos_item"),
        ("/v1/models", None),
        ("/model/info", None),
        ("/key/generate", None),
        ("/v1/messages/count_tokens", None),
        ("/bria", None),
    ],
)
def test_the_api_of_a_path(path: str, api: str | None) -> None:
    """By LiteLLM's template; management and the operator's own pass-throughs have none."""
    assert api_of(path) == api
