"""The map of a router.yaml, without a gateway: who calls what, as text, Mermaid and SVG."""
