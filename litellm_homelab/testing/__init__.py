"""
Test a router.yaml in seconds: stock LiteLLM in this process, with stand-ins for every upstream.

    async with MockProxy("config/router.yaml") as proxy:
        proxy.upstream("vllm-qwen").fails(500)
        answer = await proxy.chat("vllm-qwen", "hello")
        assert answer.sent_to == ["vllm-qwen", "ollama-qwen"]
"""

from litellm_homelab.testing.answer import Answer
from litellm_homelab.testing.mock_proxy import MockProxy
from litellm_homelab.testing.upstream import Upstream

__all__ = ["Answer", "MockProxy", "Upstream"]
