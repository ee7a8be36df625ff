"""
Changes of a YAML document, each made to its text and to its content.

A text keeps its comments, order, quotes and line ends. The two results are compared (`adopt.edits.check`), so
that a style which is not understood is refused and never written.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

from litellm_homelab.adopt.edits import (
    CannotEdit,
    end_of,
    index_of,
    line_after,
    replaced,
    root_of,
    scalar,
    value_of,
    with_last_line,
)

PatchPath: TypeAlias = tuple[str | int, ...]
"""Keys and numbers from the top: `("model_list", 0, "model_info")`."""
BLANK: Final = re.compile(r"\n[ \t]*\n[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class Put:
    """A mapping's value, which is replaced where it is there; mappings on the way to it are made."""

    path: PatchPath
    value: Any

    def to_content(self, content: Any) -> None:  # noqa: ANN401 - whatever YAML has
        """Change the content of the document."""
        for key in self.path[:-1]:
            if isinstance(content, dict) and content.get(key) is None:
                content[key] = {}
            content = content[key]
        content[self.path[-1]] = self.value

    def to_text(self, text: str) -> str:
        """Change the text of the document."""
        parent = _node(text, self.path[:-1])
        if parent is None:
            return Put(self.path[:-1], {self.path[-1]: self.value}).to_text(text)
        if isinstance(parent, yaml.ScalarNode) and parent.value in ("", "null", "~"):
            return _instead(text, parent, flow({self.path[-1]: self.value}))
        if not isinstance(parent, yaml.MappingNode):
            raise CannotEdit(f"{where(self.path[:-1])}: expected a mapping")
        present = value_of(parent, str(self.path[-1]))
        if isinstance(present, yaml.CollectionNode) and not present.flow_style:
            raise CannotEdit(
                f"{where(self.path)}: it has several lines; write {flow(self.value)} in their place"
            )
        if present is not None:
            return _instead(text, present, flow(self.value))
        return _with_key(text, parent, f"{scalar(self.path[-1])}: {flow(self.value)}")


@dataclass(frozen=True, slots=True)
class Append:
    """An item at the end of a list; a list that is missing is made."""

    path: PatchPath
    value: Any
    comment: str = ""
    """Behind the first line of an item that is a mapping."""

    def to_content(self, content: Any) -> None:  # noqa: ANN401 - as above
        """Change the content of the document."""
        for key in self.path[:-1]:
            if isinstance(content, dict) and content.get(key) is None:
                content[key] = {}
            content = content[key]
        content[self.path[-1]] = [*(content.get(self.path[-1]) or []), self.value]

    def to_text(self, text: str) -> str:
        """Change the text of the document."""
        node = _node(text, self.path)
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~")):
            return Put(self.path, [self.value]).to_text(text)
        if not isinstance(node, yaml.SequenceNode):
            raise CannotEdit(f"{where(self.path)}: expected a list")
        if node.flow_style:
            item = flow(self.value)
            if not node.value:
                return replaced(text, node, f"[{item}]")
            end = index_of(node.value[-1].end_mark)
            return f"{text[:end]}, {item}{text[end:]}"
        dash = _dash(text, node.value[0])
        indent = " " * (dash - text.rfind("\n", 0, dash) - 1)
        lines = [f"{indent}{line}" for line in _item(self.value, self.comment)]
        if len(node.value) > 1 and BLANK.search(text[: _dash(text, node.value[-1])]):
            lines.insert(0, "")
        return line_after(text, node, "\n".join(lines))


@dataclass(frozen=True, slots=True)
class Remove:
    """An item of a list, or a mapping's value with its key; what gets empty is removed too."""

    path: PatchPath

    def to_content(self, content: Any) -> None:  # noqa: ANN401 - as above
        """Change the content of the document."""
        way = [content]
        for key in self.path[:-1]:
            way.append(way[-1][key])
        for parent, key in zip(reversed(way), reversed(self.path), strict=True):
            del parent[key]
            if parent:
                return

    def to_text(self, text: str) -> str:
        """Change the text of the document."""
        parent = _node(text, self.path[:-1])
        if not isinstance(parent, yaml.CollectionNode):
            raise CannotEdit(f"{where(self.path[:-1])}: expected a list or a mapping")
        number = _number(parent, self.path[-1])
        if parent.flow_style:
            if len(parent.value) == 1:
                return Remove(self.path[:-1]).to_text(text)
            return _out_of_flow(text, parent.value, number)
        without = _without_lines(text, parent.value[number], self.path)
        return without if len(parent.value) > 1 else Remove(self.path[:-1]).to_text(without)


Patch: TypeAlias = Put | Append | Remove


def applied(text: str, content: Mapping[str, Any], patches: Sequence[Patch]) -> tuple[str, dict[str, Any]]:
    """
    Change a text and its content; removals go last, from the end, so that numbers keep their meaning.

    Raises:
        CannotEdit: the text is written in a way that is not understood; the message says what to do.

    """
    found: dict[str, Any] = _unshared(content)
    removals = sorted((one for one in patches if isinstance(one, Remove)), key=_place, reverse=True)
    for one in (*(one for one in patches if not isinstance(one, Remove)), *removals):
        text = one.to_text(text)
        one.to_content(found)
    return text, found


def commented_items(text: str, section: str, key: str, comment: str) -> frozenset[int]:
    """
    Numbers of a section's items that have a comment, and nothing else, behind the value of a key.

    A comment that only ends like it is another one, and so is a text with a `#` in it.
    """
    try:
        listed = value_of(root_of(text), section)
    except CannotEdit:
        return frozenset()
    items = listed.value if isinstance(listed, yaml.SequenceNode) else []
    values = ((number, value_of(item, key)) for number, item in enumerate(items))
    behind = ((number, text[end_of(one) :].partition("\n")[0]) for number, one in values if one is not None)
    return frozenset(number for number, rest in behind if rest.strip() == f"# {comment}")


def where(path: PatchPath) -> str:
    """A path as people write it: `model_list[0].model_info`."""
    parts = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return "".join(parts).removeprefix(".")


def flow(value: object) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(key)}: {flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow(one) for one in value)}]"
    return scalar(value)


def _unshared(value: Any) -> Any:  # noqa: ANN401 - whatever YAML has
    """A copy in which two aliases are two values: a change of one must not look right in both."""
    if isinstance(value, Mapping):
        return {key: _unshared(one) for key, one in value.items()}
    return [_unshared(one) for one in value] if isinstance(value, list) else value


def _place(patch: Remove) -> tuple[tuple[int, str], ...]:
    return tuple((one, "") if isinstance(one, int) else (-1, one) for one in patch.path)


def _item(value: object, comment: str) -> list[str]:
    """An item of a list in block style: a deployment as people write it, anything else on one line."""
    if not isinstance(value, dict):
        return [f"- {flow(value)}"]
    lines = []
    for key, one in value.items():
        if isinstance(one, dict) and key == "litellm_params":
            lines += [f"{key}:", *(f"  {scalar(name)}: {flow(inner)}" for name, inner in one.items())]
        else:
            lines.append(f"{scalar(key)}: {flow(one)}")
    lines[0] += f"  # {comment}" if comment else ""
    return [f"{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines)]


@functools.lru_cache(maxsize=2)
def _root(text: str) -> yaml.MappingNode:
    return root_of(text)


def _node(text: str, path: PatchPath) -> yaml.Node | None:
    """The node at a path, None where it is missing; an alias is refused, since it is elsewhere too."""
    node: yaml.Node | None = _root(text)
    for number, key in enumerate(path):
        parent, start = node, index_of(node.start_mark) if node is not None else 0
        if isinstance(parent, yaml.SequenceNode):
            node = parent.value[key] if isinstance(key, int) and key < len(parent.value) else None
        else:
            node = value_of(parent, str(key))
        if node is not None and index_of(node.start_mark) < start:
            raise CannotEdit(f"{where(path[: number + 1])}: an alias of another part; change it by hand")
    return node


def _number(parent: yaml.CollectionNode, key: str | int) -> int:
    if isinstance(key, int):
        return key
    found = [number for number, (name, _) in enumerate(parent.value) if name.value == key]
    if not found:
        raise CannotEdit(f"{key}: it comes from another part of the file; remove it by hand")
    return found[0]


def _instead(text: str, node: yaml.Node, written: str) -> str:
    """A value in the place of another; one that is not there is written behind its key."""
    start, end = index_of(node.start_mark), index_of(node.end_mark)
    if start == end:
        return f"{text[:start].rstrip(' ')} {written}{text[end:]}"
    return replaced(text, node, written)


def _with_key(text: str, parent: yaml.MappingNode, line: str) -> str:
    if parent.flow_style and parent.value:
        end = index_of(parent.value[-1][1].end_mark)
        return f"{text[:end]}, {line}{text[end:]}"
    if parent.flow_style:
        return replaced(text, parent, f"{{{line}}}")
    first: Any = parent.value[0][0].start_mark
    return line_after(with_last_line(text), parent, " " * first.column + line)


def _dash(text: str, item: yaml.Node) -> int:
    return text.rindex("-", 0, index_of(item.start_mark))


def _without_lines(text: str, one: Any, path: PatchPath) -> str:  # noqa: ANN401 - an item, or a pair
    """Without the lines of an item in block style, and with one empty line between what is left."""
    begin = index_of(one[0].start_mark) if isinstance(one, tuple) else _dash(text, one)
    end = max(end_of(one[1]), index_of(one[0].end_mark)) if isinstance(one, tuple) else end_of(one)
    start, stop = text.rfind("\n", 0, begin) + 1, _line_end(text, end)
    if text[start:begin].strip():
        raise CannotEdit(f"{where(path)}: remove it by hand")
    if text[:start].endswith("\n\n") and text[stop:].startswith("\n"):
        stop += 1
    return text[:start] + text[stop:]


def _line_end(text: str, end: int) -> int:
    """Where the line after a value begins; a block of text ends with its own line."""
    if text[end - 1] == "\n":
        while text[:end].endswith("\n\n"):
            end -= 1
        return end
    stop = text.find("\n", end)
    return len(text) if stop < 0 else stop + 1


def _out_of_flow(text: str, items: Sequence[Any], number: int) -> str:
    spans = [
        (one[0].start_mark, one[1].end_mark) if isinstance(one, tuple) else (one.start_mark, one.end_mark)
        for one in items
    ]
    start, end = index_of(spans[number][0]), index_of(spans[number][1])
    if number + 1 < len(spans):
        end = index_of(spans[number + 1][0])
    else:
        start = index_of(spans[number - 1][1])
    if "#" in text[start:end]:
        raise CannotEdit("a comment is beside what would be removed; remove it by hand")
    return text[:start] + text[end:]
