"""What the package's series say, and how a request changed them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY

TIMES = (
    "_bucket",
    "_created",
    "_sum",
    "homelab_hook_seconds_count",
    "homelab_output_tokens_per_second_count",
)
"""Endings of samples that differ from run to run, or come in the background."""


def samples() -> dict[str, float]:
    """Every sample of ours as Prometheus writes it: `name{label=value,...}` without `homelab_`."""
    return {
        f"{sample.name.removeprefix('homelab_')}{{{','.join(sample.labels.values())}}}": sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name.startswith("homelab_") and not sample.name.endswith(TIMES)
    }


@contextmanager
def changes() -> Iterator[dict[str, float]]:
    """A dict that holds, after the block, by how much each sample that changed has risen."""
    before, found = samples(), dict[str, float]()
    yield found
    after = samples()
    found.update(
        {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    )
