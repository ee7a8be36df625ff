"""Models that come after the start, as LiteLLM's database brings them: only showroom names are served."""

from __future__ import annotations

from pathlib import Path

from litellm.types.router import Deployment, LiteLLM_Params, ModelInfo

from litellm_homelab.testing import MockProxy

ROUTER = """
homelab:
  showroom: {handles: [file, later, later-embed]}
  state: memory://
model_list:
  - model_name: file
    litellm_params: {model: lm_studio/file, api_base: "http://file.invalid/v1", api_key: none}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  store_model_in_db: true
litellm_settings:
  callbacks: [litellm_homelab.plugin]
"""


def deployment(group: str, **info: str) -> Deployment:
    """A deployment as LiteLLM makes it from a row of its database."""
    params = LiteLLM_Params(
        model=f"lm_studio/{group}-upstream", api_base=f"http://{group}.invalid/v1", api_key="none"
    )
    return Deployment(model_name=group, litellm_params=params, model_info=ModelInfo(id=f"id-{group}", **info))


async def test_a_name_of_the_showroom_is_served_once_it_is_there(tmp_path: Path) -> None:
    """Before, it is unknown; a model with another name stays out of reach and of listings."""
    from litellm.proxy import proxy_server

    path = tmp_path / "router.yaml"
    path.write_text(ROUTER, encoding="utf-8")
    async with MockProxy(path) as proxy:
        assert (await proxy.chat("later")).status >= 400
        for one in (deployment("later"), deployment("later-embed", mode="embedding"), deployment("other")):
            proxy_server.llm_router.add_deployment(deployment=one)
        chat = await proxy.chat("later")
        assert (chat.status, [sent["model"] for sent in chat.wire]) == (200, ["later-upstream"]), chat.text
        embedding = await proxy.post("/v1/embeddings", {"model": "later-embed", "input": "hello"})
        assert embedding.status == 200, embedding.text
        assert (await proxy.chat("later-embed")).status == 400
        other = await proxy.chat("other")
        assert (other.status, other.sent_to) == (404, [])
        listed = [one["id"] for one in (await proxy.get("/v1/models")).json["data"]]
        assert listed == ["file", "later", "later-embed"]
