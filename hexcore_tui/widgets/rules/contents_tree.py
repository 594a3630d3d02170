"""The contents of the rules: sections, groups, rules, subrules, read when they are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.rules.records import RuleRecord
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.rules.rule_document import first_line
from hexcore_tui.widgets.shared.knowledge_thread import knowledge_thread

if TYPE_CHECKING:
    from hexcore_engine.knowledge.lookup import Knowledge

Branch = tuple[RuleRecord, bool]


class ContentsTree(Tree[str]):
    """A node's data is its rule number; Enter or a click opens it and shows the rule."""

    DEFAULT_CSS = """
    ContentsTree { background: transparent; padding: 0; scrollbar-size-vertical: 1;
    scrollbar-size-horizontal: 0; }
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("Rules", id=id)
        self.show_root = False
        self.guide_depth = 2
        self._generation: int | None = None

    def on_focus(self) -> None:
        """Start at the first line, so that Enter has something to open."""
        if self.cursor_line < 0:
            self.cursor_line = 0

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[str]) -> None:
        """Read what is under the node, once."""
        event.stop()
        if not event.node.children:
            self._fill(event.node)

    @work(group="contents", exclusive=True, exit_on_error=False)
    async def reload(self) -> None:
        """Read the sections again when another release became the current one."""
        try:
            generation = await knowledge_thread(self).call(lambda knowledge: knowledge.generation)
        except HexcoreError:
            # The search's own look-up says what is damaged.
            return
        if generation != self._generation or not self.root.children:
            self._generation = generation
            self.root.remove_children()
            await self._read_under(self.root)

    @work(group="branches", exit_on_error=False)
    async def _fill(self, node: TreeNode[str]) -> None:
        await self._read_under(node)

    async def _read_under(self, node: TreeNode[str]) -> None:
        branches = await knowledge_thread(self).call(lambda knowledge: _branches(knowledge, node.data))
        if node.children:
            return
        for rule, has_more in branches:
            # A label given as plain text would be read as markup.
            label = Text.assemble((clean_line(rule.number), "bold"), f" {first_line(rule)}")
            node.add(label, data=rule.number, allow_expand=has_more)
        if branches:
            # One with nothing under it would be asked for again by the news that it was expanded.
            node.expand()


def _branches(knowledge: Knowledge, parent: str | None) -> list[Branch]:
    rules = knowledge.contents(parent)
    deep = parent is not None and "." not in parent and len(parent) > 1
    return [(rule, not deep or bool(knowledge.contents(rule.number))) for rule in rules]
