"""How fast handles answered in the last minute."""

from __future__ import annotations

from litellm_homelab.adapter.page.paces import SECONDS, Paces


def test_what_came_since_the_first_look_of_the_last_minute() -> None:
    """Nothing at the first look; later the difference; after a minute the older looks do not count."""
    counted: dict[str, tuple[float, int]] = {"main": (100.0, 4)}
    now = [0.0]
    paces = Paces(lambda: dict(counted), lambda: now[0])
    assert paces.look() == {}
    now[0], counted["main"] = 10.0, (160.0, 6)
    assert paces.look() == {"main": (60.0, 2)}
    now[0], counted["cloud"] = 20.0, (9.0, 1)
    assert paces.look() == {"main": (60.0, 2), "cloud": (9.0, 1)}
    now[0] = SECONDS + 5
    assert paces.look() == {"cloud": (9.0, 1)}
    now[0] = 10 * SECONDS
    assert paces.look() == {}
