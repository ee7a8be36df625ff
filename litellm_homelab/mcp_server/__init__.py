"""An MCP server for a client's tools: the gateway's web search, and pages of the web as clean text."""
