"""Numbers of `/metrics/`."""

from __future__ import annotations

import pytest

from litellm_homelab.verify import counters

TEXT = """\
# HELP homelab_x_total x
# TYPE homelab_x_total counter
homelab_x_total{handle="main",field="a"} 2.0
homelab_x_total{field="a",handle="deep"} 1.0
homelab_x_total{field="b",handle="ma\\"in"} 1e3
homelab_x_total{field="c"} NaN-and-more
homelab_x_total_more{field="a",handle="main"} 7
homelab_plain 4.0
# TYPE homelab_refusals counter
"""


@pytest.mark.parametrize(
    ("name", "labels", "found"),
    [
        ("homelab_x_total", {"handle": "main", "field": "a"}, 2),
        ("homelab_x_total", {"field": "a"}, 3),
        ("homelab_x_total", {"field": "c"}, 0),
        ("homelab_x_total", {}, 1003),
        ("homelab_plain", {}, 4),
        ("homelab_none", {}, 0),
    ],
)
def test_the_sum_of_samples(name: str, labels: dict[str, str], found: float) -> None:
    """In any order of labels, of the very name, and of numbers only."""
    assert counters.total(TEXT, name, **labels) == found


def test_whether_a_metric_is_declared() -> None:
    """By its type or by a sample."""
    assert counters.has(TEXT, "homelab_refusals_total")
    assert counters.has(TEXT, "homelab_plain")
    assert not counters.has(TEXT, "homelab_other")
