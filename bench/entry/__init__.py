"""
An entry for ai-gateway-bench (github.com/BerriAI/ai-gateway-bench): LiteLLM with and without the plugin.

`gateways/` has the two folders that its `gateways/` takes. `python -m bench entry` runs them here, against
the same kind of upstream and load, and writes results of its form; it needs neither containers nor Rust.
"""
