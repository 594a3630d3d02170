"""Look-ups off the event loop: one thread with its own `Knowledge`, shared by all widgets of an app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from textual.app import App
from textual.dom import DOMNode

from hexcore_engine.errors import HexcoreError, KnowledgeRetrievalError
from hexcore_tui.host import host

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

AnswerT = TypeVar("AnswerT")
logger = logging.getLogger(__name__)


class KnowledgeThread:
    """Runs look-ups one after the other; one whose asker was cancelled before its turn is not run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._knowledge: Knowledge | None = None
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look-up")

    async def call(self, look_up: Callable[[Knowledge], AnswerT]) -> AnswerT:
        """Return what `look_up` finds.

        Raises:
            KnowledgeRetrievalError: when a knowledge file is damaged, or the look-up failed in any other way.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, look_up)

    def _run(self, look_up: Callable[[Knowledge], AnswerT]) -> AnswerT:
        if self._knowledge is None:
            # The first look-up pays for the import, here where no frame waits for it.
            from hexcore_engine.knowledge.lookup import Knowledge

            self._knowledge = Knowledge(self._folder)
        try:
            return look_up(self._knowledge)
        except HexcoreError:
            raise
        except Exception as error:
            # Its text may quote what was looked for: the screen may show that, a log may not.
            logger.error("a look-up failed: %s", type(error).__name__)
            raise KnowledgeRetrievalError(
                f"The look-up failed: {error or type(error).__name__}.",
                "Try it again; `hexcore doctor` says whether the knowledge files can be read.",
            ) from error


_THREADS: WeakKeyDictionary[App[object], KnowledgeThread] = WeakKeyDictionary()


def knowledge_thread(node: DOMNode) -> KnowledgeThread:
    """Return the look-up thread of the app `node` belongs to; it ends with the app."""
    thread = _THREADS.get(node.app)
    if thread is None:
        thread = _THREADS[node.app] = KnowledgeThread(host(node).knowledge_folder)
    return thread
