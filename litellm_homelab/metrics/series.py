"""
Every metric: its name, its help, its labels; values of labels come from the configuration, or are `other`.

What LiteLLM exports already (requests, latency, tokens, spend) is not repeated. Several workers are added up
by prometheus_client's multiprocess mode, which LiteLLM sets up (measured on 1.106.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from litellm_homelab.backends.presence import BackendState, ProbeOutcome
from litellm_homelab.decision import RefusalType
from litellm_homelab.metrics.labels import OTHER, Labels

if TYPE_CHECKING:
    # Imported where a registry is given: LiteLLM itself runs without prometheus_client.
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CHILDREN: Final = (0, 1, 2, 3, 4, 5, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
WAITS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 15, 30, 60, 120, 300, 600)
SPEEDS: Final = (1, 2, 5, 10, 15, 20, 30, 40, 60, 80, 120, 200, 400)
OWN: Final = (1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.5, 1)

COUNTERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "homelab_refusals_total": ("Requests refused", ("rule", "type", "handle", "caller")),
        "homelab_approach_requests_total": (
            "Requests to OptiLLM handles, by approach and what became of them",
            ("handle", "approach", "action"),
        ),
        "homelab_fields_stripped_total": (
            "Fields of a client's request that were stripped: they did not leave for an upstream",
            ("handle", "field"),
        ),
        "homelab_optillm_tokens_total": (
            "Tokens that OptiLLM's calls back used",
            ("handle", "approach", "kind"),
        ),
        "homelab_orphans_total": ("Calls with OptiLLM's key that belong to no request", ()),
        "homelab_loops_total": ("Returns to OptiLLM that were refused", ("handle",)),
        "homelab_attempts_total": (
            "Attempts at upstreams, by the handle asked for and the group tried",
            ("handle", "target", "outcome"),
        ),
        "homelab_timeouts_total": (
            "Attempts and streams that a limit of homelab.timeouts ended",
            ("handle", "limit"),
        ),
        "homelab_quota_learned_total": (
            "What answers of providers said of their limits, by where it was; unknown changed nothing",
            ("quota", "source"),
        ),
        "homelab_backend_probes_total": ("Probes of a backend, by what they saw", ("backend", "outcome")),
        "homelab_wakes_total": ("Times that a backend was woken", ("backend", "outcome")),
        "homelab_rule_errors_total": ("Rules that broke and failed closed", ("rule",)),
    }
)
"""What each counter counts, and its labels."""

HISTOGRAMS: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[float, ...]]]] = MappingProxyType(
    {
        "homelab_optillm_children": ("OptiLLM's calls back for a request", ("handle", "approach"), CHILDREN),
        "homelab_hook_seconds": ("Seconds that our own hooks of a kind took for a request", ("hook",), OWN),
        "homelab_failover_seconds": (
            "Seconds spent on failed attempts before the one that answered",
            ("handle",),
            WAITS,
        ),
        "homelab_first_token_seconds": (
            "Seconds from the request to the first text of its streamed answer",
            ("handle",),
            WAITS,
        ),
        "homelab_queue_seconds": (
            "Seconds that requests waited for a backend",
            ("backend", "priority"),
            WAITS,
        ),
        "homelab_output_tokens_per_second": (
            "Completion tokens per second, from the request to the end of its answer",
            ("handle",),
            SPEEDS,
        ),
    }
)
"""What each histogram measures, its labels, its buckets."""

GAUGES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "homelab_chain_rungs_left": (
            "Rungs below a group in the handle's chain of fallbacks",
            ("handle", "target"),
        ),
        "homelab_slots": ("Requests that a backend may serve at a time", ("backend",)),
        "homelab_queue_limit": ("Requests that may wait for a backend at a time", ("backend",)),
    }
)
"""What each gauge shows, and its labels."""

LIVE: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "homelab_slots_used": ("Requests that a backend is serving", ("backend",)),
        "homelab_queue_length": ("Requests that wait for a backend", ("backend",)),
    }
)
"""What each gauge shows of which every worker has its own part, and its labels."""

SHARED: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "homelab_quota_used": ("What is used of a window of a quota, over all workers", ("quota", "window")),
        "homelab_quota_limit": ("The limit of a window of a quota", ("quota", "window")),
        "homelab_backend_state": ("Whether a backend is in a state: 1 or 0", ("backend", "state")),
        "homelab_quota_used_up_timestamp_seconds": (
            "When a window of a quota will be used up at its present rate; 0 where it resets before",
            ("quota", "window"),
        ),
        "homelab_quota_reset_seconds": (
            "Seconds until a window of a quota resets",
            ("quota", "window"),
        ),
    }
)
"""What each gauge shows that every worker sets for all, and its labels."""

Series = TypeVar("Series", "Counter", "Histogram", "Gauge")


class Metrics:
    """
    The package's own series, in a registry that is given; without one nothing is counted.

    LiteLLM's `/metrics/` shows prometheus_client's default registry.
    """

    def __init__(self, labels: Labels | None = None, registry: CollectorRegistry | None = None) -> None:
        labels = labels or Labels()
        self._values = labels.values()
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._live: dict[str, Gauge] = {}
        self._used: dict[str, Gauge] = {}
        self._waiting: dict[str, Gauge] = {}
        self._shared: dict[str, Gauge] = {}
        self._found: dict[tuple[str, tuple[str | None, ...]], Any] = {}
        """
        Series by their metric's name and their values, once they have been looked up.

        To look one up again takes prometheus_client longer than to count: a fifth of all our hooks' time.
        """
        if registry is not None:
            self._declare(registry)
            self._seed(labels, registry)

    def _declare(self, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Histogram

        for name, (text, labels) in COUNTERS.items():
            self._counters[name] = Counter(name, text, labels, registry=registry)
        for name, (text, labels, buckets) in HISTOGRAMS.items():
            self._histograms[name] = Histogram(name, text, labels, registry=registry, buckets=buckets)

    def _seed(self, labels: Labels, registry: CollectorRegistry) -> None:
        from prometheus_client import Gauge

        for name, values in labels.seeds():
            if name in self._counters:
                self._counters[name].labels(*values)
            else:
                self._histograms[name].labels(*values)
        for name, (text, names) in GAUGES.items():
            # Every worker sets the same numbers.
            gauge = Gauge(name, text, names, registry=registry, multiprocess_mode="max")
            for values, number in labels.numbers(name):
                gauge.labels(*values).set(number)
        for name, (text, names) in LIVE.items():
            self._live[name] = Gauge(name, text, names, registry=registry, multiprocess_mode="livesum")
        self._used = self._by_backend("homelab_slots_used", labels)
        self._waiting = self._by_backend("homelab_queue_length", labels)
        for name, (text, names) in SHARED.items():
            self._shared[name] = Gauge(name, text, names, registry=registry, multiprocess_mode="mostrecent")
        for backend in labels.followed:
            self.backend_state(backend, BackendState.UNKNOWN)
        for (quota, window), number in labels.quota_limits.items():
            self._shared["homelab_quota_used"].labels(quota, window).set(0)
            self._shared["homelab_quota_limit"].labels(quota, window).set(number)

    def _by_backend(self, name: str, labels: Labels) -> dict[str, Gauge]:
        """The series of a gauge by the backend that it is about, from 0 on."""
        found = {backend: self._live[name].labels(backend) for backend in labels.slots}
        for gauge in found.values():
            gauge.set(0)
        return found

    # --- events ------------------------------------------------------------------------------------

    def refused(self, rule: str, kind: RefusalType, handle: str | None, caller: str) -> None:
        """A request was refused."""
        self._count("homelab_refusals_total", rule, kind.value, handle, caller)

    def approach(self, handle: str, approach: str, action: str) -> None:
        """A request asked an OptiLLM handle for an approach."""
        self._count("homelab_approach_requests_total", handle, approach, action)

    def stripped(self, handle: str | None, fields: Iterable[str]) -> None:
        """Fields of a request did not leave for an upstream."""
        for name in fields:
            self._count("homelab_fields_stripped_total", handle, name)

    def children(self, handle: str, approach: str, number: int) -> None:
        """A request to an OptiLLM handle ended after a number of calls back."""
        self._observe("homelab_optillm_children", handle, approach, amount=number)

    def tokens(self, handle: str, approach: str, prompt: int, completion: int) -> None:
        """A call back was answered, before or after its root ended."""
        self._count("homelab_optillm_tokens_total", handle, approach, "prompt", amount=prompt)
        self._count("homelab_optillm_tokens_total", handle, approach, "completion", amount=completion)

    def orphan(self) -> None:
        """OptiLLM's key was used without a mark."""
        self._count("homelab_orphans_total")

    def loop(self, handle: str | None) -> None:
        """A return to OptiLLM was refused; `handle` is the root's, None where no mark says."""
        self._count("homelab_loops_total", handle)

    def attempt(self, handle: str | None, target: str | None, outcome: str) -> None:
        """An attempt at an upstream ended."""
        self._count("homelab_attempts_total", handle, target, outcome)

    def timed_out(self, handle: str | None, limit: str) -> None:
        """A limit ended an attempt, or a stream."""
        self._count("homelab_timeouts_total", handle, limit)

    def add_rule(self, rule: str) -> None:
        """Count a rule by its name from 0 on; a rule that is known already is left as it is."""
        if rule not in self._values["rule"]:
            self._values["rule"] |= {rule}
            if self._counters:
                self._counters["homelab_rule_errors_total"].labels(rule)

    def rule_error(self, rule: str) -> None:
        """A rule broke, and failed closed."""
        self._count("homelab_rule_errors_total", rule)

    def hook(self, hook: str, seconds: float) -> None:
        """All our hooks of a kind took so long for one request."""
        self._observe("homelab_hook_seconds", hook, amount=seconds)

    def failed_over(self, handle: str | None, seconds: float) -> None:
        """An answer came after so long on failed attempts."""
        self._observe("homelab_failover_seconds", handle, amount=seconds)

    def first_token(self, handle: str | None, seconds: float) -> None:
        """The first text reached the client so long after its request."""
        self._observe("homelab_first_token_seconds", handle, amount=seconds)

    def speed(self, handle: str | None, tokens_per_second: float) -> None:
        """An answer came at a rate of tokens per second."""
        self._observe("homelab_output_tokens_per_second", handle, amount=tokens_per_second)

    def slots_used(self, backend: str, used: int) -> None:
        """This worker has `used` requests at a backend."""
        gauge = self._used.get(backend)
        if gauge is not None:
            gauge.set(used)

    def waiting(self, backend: str, number: int) -> None:
        """`number` requests of this worker wait for a backend."""
        gauge = self._waiting.get(backend)
        if gauge is not None:
            gauge.set(number)

    def backend_state(self, backend: str, state: BackendState) -> None:
        """A backend has come into a state."""
        if self._shared:
            for one in BackendState:
                self._shared["homelab_backend_state"].labels(backend, one).set(one is state)

    def probed(self, backend: str, outcome: ProbeOutcome) -> None:
        """This worker has asked a backend whether it is there."""
        self._count("homelab_backend_probes_total", backend, outcome)

    def woken(self, backend: str, outcome: str) -> None:
        """Something was sent to wake a backend, or could not be."""
        self._count("homelab_wakes_total", backend, outcome)

    def quota(self, quota: str, window: str, used: int, limit: int | None, reset_seconds: float) -> None:
        """A window of a quota has this use, limit and time to its reset."""
        if self._shared:
            self._shared["homelab_quota_used"].labels(quota, window).set(used)
            self._shared["homelab_quota_reset_seconds"].labels(quota, window).set(reset_seconds)
            if limit is not None:
                self._shared["homelab_quota_limit"].labels(quota, window).set(limit)

    def quota_runs_out(self, quota: str, window: str, at: float | None) -> None:
        """A window of a quota will be used up at `at`, at its present rate; None where it resets before."""
        if self._shared:
            self._shared["homelab_quota_used_up_timestamp_seconds"].labels(quota, window).set(at or 0)

    def quota_learned(self, quota: str, source: str) -> None:
        """An answer of a provider said something of its limits."""
        self._count("homelab_quota_learned_total", quota, source)

    def queued(self, backend: str, priority: str, seconds: float) -> None:
        """A request waited for a backend, whether it got a slot or not."""
        self._observe("homelab_queue_seconds", backend, priority, amount=seconds)

    # --- what was counted --------------------------------------------------------------------------

    def loops(self) -> int:
        """How many loops this process has counted; 0 where nothing is counted."""
        return int(sum(value for _, value in self._samples(self._counters, "homelab_loops_total", "_total")))

    def paces(self) -> dict[str, tuple[float, int]]:
        """By handle: the sum of the speeds that this process has counted, and how many they are."""
        name = "homelab_output_tokens_per_second"
        numbers = dict(self._samples(self._histograms, name, "_count"))
        return {
            handle: (total, int(numbers[handle]))
            for handle, total in self._samples(self._histograms, name, "_sum")
        }

    @staticmethod
    def _samples(of: Mapping[str, Series], name: str, ending: str) -> Iterator[tuple[str, float]]:
        """The series of a metric with one label, as (value of the label, number)."""
        if name in of:
            for sample in next(iter(of[name].collect())).samples:
                if sample.name.endswith(ending):
                    yield next(iter(sample.labels.values())), sample.value

    # --- series ------------------------------------------------------------------------------------

    def _count(self, name: str, *values: str | None, amount: float = 1) -> None:
        found = self._found.get((name, values))
        if found is not None:
            found.inc(amount)
        elif name in self._counters:
            self._series(self._counters, COUNTERS[name][1], name, values).inc(amount)

    def _observe(self, name: str, *values: str | None, amount: float) -> None:
        found = self._found.get((name, values))
        if found is not None:
            found.observe(amount)
        elif name in self._histograms:
            self._series(self._histograms, HISTOGRAMS[name][1], name, values).observe(amount)

    def _series(
        self, of: Mapping[str, Series], names: tuple[str, ...], name: str, values: tuple[str | None, ...]
    ) -> Series:
        """The series of a metric for these values, `other` in the place of each that is not configured."""
        metric, pairs = of[name], zip(names, values, strict=True)
        known = tuple(value if value in self._values[label] else OTHER for label, value in pairs)
        found = metric.labels(*known) if known else metric
        if known == values:  # never more of them than there are series
            self._found[name, values] = found
        return found
