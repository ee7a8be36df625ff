"""The MCP server of `litellm-homelab mcp`."""
