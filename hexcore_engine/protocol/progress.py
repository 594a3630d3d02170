"""How far a piece of work is, in words: a bar, and how long it may take yet."""

from __future__ import annotations

BAR_WIDTH = 24
FULL, EMPTY = "█", "░"
# Before that a guess of the rest is worth nothing.
SHORTEST_S = 1.0
SMALLEST_SHARE = 0.02


def progress_words(share: float | None, elapsed_s: float) -> str:
    """Return how far work is that has taken `elapsed_s` seconds: `█████░░░░░ 50 %  about 3 s left`, or the
    time so far where no `share` (0 to 1) is known."""
    if share is None:
        return f"{elapsed_s:.0f} s so far" if elapsed_s >= SHORTEST_S else ""
    full = round(min(1.0, max(0.0, share)) * BAR_WIDTH)
    bar = f"{FULL * full}{EMPTY * (BAR_WIDTH - full)} {100 * share:.0f} %"
    if elapsed_s < SHORTEST_S or not SMALLEST_SHARE < share < 1:
        return bar
    return f"{bar}  about {duration_words(elapsed_s * (1 - share) / share)} left"


def duration_words(seconds: float) -> str:
    """Return a time as people say it: `3 s`, `2 min 5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{max(1, rest)} s"
