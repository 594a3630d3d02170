"""The running app as its parts see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from hexcore_tui.app import HexcoreApp


def host(node: MessagePump) -> HexcoreApp:
    """Return the app `node` belongs to, with its own type: Textual's `node.app` knows the base class only."""
    return cast("HexcoreApp", node.app)
