"""What texts of upstreams say about them, as regular expressions: each is one kind of thing, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PLACEHOLDER: Final = "upstream"
TLDS: Final = (
    "com|net|org|io|ai|dev|app|cloud|sh|tech|xyz|info|host|systems|network|online|site|gg|tv|co|eu|de|uk|us|cn|"
    "jp|fr|nl|ch|ca|au|br|ru|pl|se|fi|dk|cz|es|local|lan|home|internal|intern|corp|intranet|intra|private|"
    "localdomain|arpa|docker|svc|cluster|rack|invalid|test|example|onion|zone|box"
)
"""Ends of host names: common top-level domains that are not English words, and what home networks use."""
SUFFIXES: Final = "|".join(
    (
        r"gguf|ggml|safetensors|bin|pt|pth|onnx|npz|mlx|pyc?|pyx|so|dylib|dll|cpp|cu|cc|go|rs",
        r"sock|conf|toml|ini|ya?ml|log",
    )
)
"""Ends of file names that say what runs upstream."""
_VALUE: Final = r"(?:'[^'\n]*'|\"[^\"\n]*\"|[^\s,'\"})\]]+)"


def any_of(*patterns: str) -> str:
    """A pattern for any of some."""
    return "|".join(patterns)


PATTERNS: Final[Mapping[str, tuple[str, str]]] = {
    # By name: the pattern, whatever its case, and what stands in its place.
    # pydantic's report: of an upstream's answer that LiteLLM could not read, the value is the upstream's
    "value": (r", input_value=[\s\S]*?(?:, input_type=\w+|\Z)", ""),
    "run": (r"[!-~]{300,}", PLACEHOLDER),
    "mail": (r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", PLACEHOLDER),
    "arn": (r"\barn:[\w-]+:\S*|\bprojects/[\w/.:-]+", PLACEHOLDER),
    "field": (
        r"\b(system_fingerprint|fingerprint|provider|provider_name|x_groq|model_id|deployment_id|deployment|"
        r"api_base|base_url|organi[sz]ation|project|hostname|host|node|server|endpoint|region|request_id|trace_id|"
        r"version|served_model_name|build|litellm_provider|custom_llm_provider)(['\"]?\s*=\s*|['\"]\s*:\s*)"
        + _VALUE,
        rf"\1\g<2>{PLACEHOLDER}",
    ),
    "key": (
        any_of(
            # with the makers' prefixes, whole or masked
            r"(?<![\w-])(?:sk|pk|rk|gsk|hf|xai|pplx|nvapi|r8|tgp|csk|fw|sess|ghp|glpat|xoxb|key|eyJ)[-_]"
            r"(?=[\w*.-]*[\d*])[\w*.-]{3,}\w?",
            r"(?<![\w*-])[\w-]*\*{3,}[\w-]*",
            r"(?<![\w-])\w{2,}(?:\.{3}|\u2026)\w{3,}\b",
            # anything as long as a key, of letters and digits
            r"(?<![\w+/=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{32,}",
        ),
        PLACEHOLDER,
    ),
    "credential": (
        (
            r"\b((?:api|access|auth|bearer|secret)[ _-]?(?:key|token)s?|password|passwd|secret|credentials?)"
            r"((?: provided)?\s*[:=]\s*['\"`]?)(?=\S*[a-z0-9])[^\s,;'\"`]{4,}"
        ),
        rf"\1\g<2>{PLACEHOLDER}",
    ),
    "account": (
        any_of(
            r"(?<![\w-])(?:org|organization|proj|project|acct|account|user|req|request|team|ws|wrkspc|tenant|"
            r"sub|asst|gen)[-_](?=[\w-]*\d)[A-Za-z0-9_-]{5,}",
            r"\b(?:organi[sz]ation|tenant|workspace|subscription)(?: id)?\s+['\"`]?(?!id\b|is\b|has\b|for\b|"
            r"on\b|of\b|was\b|must\b|does\b|and\b|or\b|to\b)[\w-]{3,}['\"`]?",
        ),
        f"account {PLACEHOLDER}",
    ),
    "file": (rf"(?<![\w/.-])[\w.-]+\.(?:{SUFFIXES})(?::\d+)?\b", PLACEHOLDER),
    "address": (
        any_of(
            r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.]*\d)",
            r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",
        ),
        PLACEHOLDER,
    ),
    "host": (
        any_of(
            rf"(?<![\w@.-])(?:[a-z0-9](?:[\w-]*[a-z0-9])?\.)+(?:{TLDS})\b(?![\w-]|\.\w)(?::\d{{1,5}})?",
            r"\blocalhost\b(?::\d{1,5})?",
            # without a domain: where a port follows, or the word before says so
            # (a time is none: 2026-11-25T19:40:20Z)
            r"(?<![\w.-])(?!\d{4}-\d\d-\d\dT)(?=[a-z0-9-]*[a-z])[a-z0-9]+-[a-z0-9-]*:\d{2,5}\b",
            r"\b[a-z]+\d+:\d{4,5}\b",
            r"(?<=host )['\"`]?[a-z][\w.-]*(?::\d{1,5}|(?=['\"`]))['\"`]?",
            r"(?<=connect to )['\"`]?[a-z][\w-]*:\d{1,5}['\"`]?",
            r"\b(?:node|gpu|worker|pod|replica|rank|host|server|box|rig)[-_]?\d+\b",
        ),
        PLACEHOLDER,
    ),
    "version": (
        any_of(
            r"\b(?:linux|darwin|macos|windows|python|cuda|rocm|driver|version|release|build|ubuntu|debian|glibc|numpy|"
            r"torch|mlx|transformers|pip|node|go|rust|java|php|nginx|apache)[-/ =:]*v?\d[\w.+-]*",
            r"\b[a-z][\w.-]*/v?\d+(?:\.\d+)+[\w.+-]*",
            r"(?<![\w.])v?\d+\.\d+\.\d+(?:[-+.]?\w+)*",
            r"\bv\d+\.\d+\w*",
        ),
        PLACEHOLDER,
    ),
    "hardware": (
        any_of(
            r"\b(?:nvidia|geforce|radeon|tesla|quadro|apple m\d|rtx|gtx|instinct)\b"
            r"(?:[ -](?:rtx|gtx|[a-z]*\d+\w*|pro|max|ultra|ti|super|ada|geforce))*",
            r"\b[ahbl]\d{2,3}(?:-\w+)?\b(?= (?:gpu|card|80gb|40gb|sxm|pcie))",
        ),
        PLACEHOLDER,
    ),
    "family": (
        (
            r"(?<![\w/.-])(?:chat)?(?:gpt|claude|gemini|llama|qwen|qwq|mistral|mixtral|ministral|codestral|devstral|"
            r"magistral|pixtral|deepseek|gemma|phi|glm|kimi|command|granite|nemotron|olmo|falcon|hermes|whisper|dall-e|"
            r"text-embedding|bge|nomic|grok|smollm|starcoder|internlm|minimax|exaone)"
            r"(?:[-_.]?v?\d[\w.:-]*\w|-(?:r\d|coder|large|small|medium|mini|nano|pro|flash|sonnet|opus|haiku)[\w.:-]*)"
        ),
        PLACEHOLDER,
    ),
    "hub": (
        (
            r"(?<![\w/.-])(?!(?:image|audio|video|text|application)/)[a-z][\w.-]*/(?=[\w.-]*\d)(?=[\w.:-]*[a-z])"
            r"(?=[\w.:-]*[-.])[\w.:-]*\w"
        ),
        PLACEHOLDER,
    ),
}
EXCEPTION: Final = (
    r"\blitellm\.(?:exceptions\.)?\w+:\s*|\b\w+Exception(?:\s*[-:]\s*|\b)|\b\w+Error(?: -|:)\s+(?=\w)"
)
"""LiteLLM's own class and the provider's: `litellm.BadRequestError: OpenAIException - `; by exact case."""
ROUTER: Final = any_of(
    r"(?:\n|\\n){1,2}LiteLLM: .*",
    r"\bLiteLLM: model group '.*",
    r"\bFallback to \S.{0,999}? also failed\b.*",
    r"\bReceived Model Group=[^\n]*(?:\nAvailable Model Group Fallbacks=[^\n]*)?",
    r"\bLiteLLM (?:Retried|Max Retries): [^,\n]*,?",
    r"\bError doing the fallback: .*",
    r"\s{0,9}\bmodel=\S*\.? (?:context_window|content_policy)_fallbacks?=.*",
)
"""What LiteLLM's router adds to an error: which groups have fallbacks, and what the operator should set."""
MODULE: Final = any_of(
    r"(?<![\w./-])(?:litellm|openai|anthropic|httpx|httpcore|aiohttp|pydantic|pydantic_core|fastapi|starlette|uvicorn|"
    r"orjson|google|vertexai|botocore|boto3|azure|mlx_lm|vllm|optillm|transformers|torch)(?:\.[A-Za-z_]\w*)+",
    r"(?<![\w./-])[a-z_]\w*(?:\.[a-z_]\w*){2,}\.[A-Z]\w*",
)
"""Names of Python modules, classes and functions with their packages; by exact case."""
URL: Final = r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s'\"`<>)\]}|]+"
PATH: Final = any_of(
    r"(?<![\w.:@<])(?:~|\.{1,2})?/(?:[\w.@+~%-]+/)+[\w.@+~%-]*",
    r"(?<![\w.:@<])/[\w@+~%-]+\.\w+",
    r"~/[\w.@+~%-]+",
    r"\b[a-z]:[\\/][^\s'\"]+",
    r"\\\\[\w.-]+\\[^\s'\"]+",
)
ROUTE: Final = (
    r"/(?:v\d\w*|openai|chat|completions|responses|messages|embeddings|moderations|rerank|images|audio|files|"
    r"batches|search|interactions|engines|ocr|videos)(?:/(?:v1|chat|completions|deployments|responses|messages|embeddings|"
    r"generations|edits|transcriptions|translations|speech|count_tokens|models|model|info|batches|files|moderations|"
    r"rerank|search|interactions|compact|input_items|cancel|content|ocr|videos))*/?"
)
"""Paths of this gateway's own API, which stay; any other is a file or a route of an upstream's."""
IPV6: Final = r"(?<![\w:.])\[?([0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?)\]?(?::\d+)?(?![\w:])"
MODEL: Final = r"\b(model(?:[_ ](?:name|id|group))?(?:\s*[:=]\s*|\s+))([`'\"])([^`'\"\n]{1,200})\2"
FRAME: Final = any_of(
    r"^[ \t]*(?:File \"[^\"\n]*\", line \d+.*|at [\w.$<>]+ ?[(:].*:\d+.*|"
    r"During handling of the above exception.*|The above exception was the direct cause.*)(?:\n|\Z)",
    r"File \"[^\"\n]*\", line \d+(?:, in [\w<>.]+)?",
)
"""Lines of a traceback."""
TRACEBACKS: Final = (
    "Traceback (most recent call last)", "Traceback:", "Stack trace:", "stack backtrace:",
)  # fmt: skip
