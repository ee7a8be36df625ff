"""References to environment variables: resolved as LiteLLM does it, and recognised where they are wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

ENV_PREFIX: Final = "os.environ/"
"""How LiteLLM writes a reference; only a whole value is one (LiteLLM 1.106.2)."""
_NAME: Final = r"([A-Za-z_][A-Za-z0-9_]*)"
_MISTAKES: Final = re.compile(
    rf"os[.,]environ\W+{_NAME}"  # os.environ.X, os.environ['X'], os.environ / X, os,environ/X
    rf"|os\.getenv\W+{_NAME}"
    rf"|\$\{{\W*(?:env[:.])?{_NAME}"  # ${{X}}, ${{env:X}}
    rf"|(?:^|[:/@])\$\(?{_NAME}\b"  # $X, $(X)
    rf"|\{{\{{\s*(?:env[.:])?\W*{_NAME}"  # {{{{ X }}}}
    rf"|%{_NAME}%"
    rf"|^(?:os\.)?envi?r?o?n?(?:ment)?[:/.]+{_NAME}$",  # env/X, env:X, environ/X
    re.IGNORECASE,
)
_BLOCKED: Final = frozenset(
    {
        *("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"),
        *("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "HOME", "USER", "SHELL", "LOGNAME", "NO_PROXY"),
        "no_proxy",
    }
)
"""Variables that LiteLLM does not take from `environment_variables` (`_BLOCKED_ENV_KEYS`, 1.106.2)."""


def resolve(value: object, environ: Mapping[str, str]) -> object:
    """`os.environ/NAME` as the variable's value; anything else, or an unset variable, as it is."""
    if isinstance(value, str) and value.startswith(ENV_PREFIX):
        try:
            return environ.get(value.removeprefix(ENV_PREFIX), value)
        except ValueError:  # a name that the system cannot have, such as one with a lone surrogate
            return value
    return value


def is_unset(resolved: object) -> bool:
    """Whether what `resolve` gave back is still a reference, because its variable is not set."""
    return isinstance(resolved, str) and resolved.startswith(ENV_PREFIX)


def late(section: object) -> frozenset[str]:
    """
    Names of the variables that a file's `environment_variables` sets.

    LiteLLM resolves all references of the file before it sets them (`get_config`, then
    `_load_environment_variables`, 1.106.2): to every reference outside of `homelab:` they come too late.
    """
    names = section if isinstance(section, Mapping) else ()
    return frozenset(name for name in names if isinstance(name, str) and name not in _BLOCKED)


def late_values(section: object, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What those variables will be once LiteLLM has set them; what it cannot resolve is left out."""
    for name, value in section.items() if isinstance(section, Mapping) else ():
        resolved = resolve(value, environ)
        if name in late(section) and not is_unset(resolved) and isinstance(resolved, str | int | float):
            yield name, resolved if isinstance(resolved, str) else repr(resolved)


def meant(value: str, *, whole: bool = False) -> str | None:
    """
    The reference that a value was probably meant to be: `os.environ.X` and `${X}` are none to LiteLLM.

    With `whole`, only where the value is nothing else: a key may have a `$` in it.
    """
    found = _MISTAKES.search(value.strip())
    if found is None or value.startswith(ENV_PREFIX):
        return None
    if whole and len(value.strip()) > len(found.group()) + len("}}])'\""):
        return None
    name = next((group for group in found.groups() if group), "")
    return f"{ENV_PREFIX}{name}"


def unset_problem(where: str, variable: str, too_late: frozenset[str]) -> str:
    """
    One line for a reference whose variable is not set when LiteLLM resolves it.

    LiteLLM goes on without the setting: without an `api_base` a local model's prompts would go to
    api.openai.com (measured on LiteLLM 1.106.2).
    """
    if variable in too_late:
        return (
            f"{where}: LiteLLM resolves this before it sets {variable} from environment_variables; "
            f"remove {variable} there and set it in the environment that LiteLLM starts in"
        )
    return f"{where}: the environment variable {variable} is not set"
