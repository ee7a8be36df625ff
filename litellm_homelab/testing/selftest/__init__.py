"""
What this package relies on in LiteLLM, tried on the installed one: `litellm-homelab selftest`.

`checks.CHECKS` is the list; each check asks a gateway in this process something, and says what it expected
and what it saw. To add one, write a function with a docstring in the module of its subject and list it.
"""
