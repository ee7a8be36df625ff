"""
Edits of a YAML text that change nothing else: comments, order, quotes and line ends stay.

Each edit finds its place with PyYAML's marks. `check` compares what the result contains with what it should
contain, so that a style which is not understood is refused and never written.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from litellm_homelab.config import yaml_text
from litellm_homelab.config.yaml_text import NotReadable

INDENT: Final = "  "
_PLAIN: Final = re.compile(r"[A-Za-z0-9_/](?:[A-Za-z0-9_./:@+*-]*[A-Za-z0-9_/@+*-])?")
"""Texts that YAML reads as they are, in flow style too; whether they are texts is looked at apart."""


class CannotEdit(ValueError):
    """The text is written in a way that these edits do not understand; the message says what to do."""


def scalar(value: object) -> str:
    """A value as YAML, on one line."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value else _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """In double quotes, as JSON does it; YAML has one escape for what JSON writes as a pair."""
    return "".join(f"\\U{ord(one):08x}" if ord(one) > 0xFFFF else json.dumps(one)[1:-1] for one in text).join(
        '""'
    )


def add_setting(text: str, section: str, name: str, value: object) -> str:
    """Put `name: value` at the end of a section, which is made where there is none."""
    node = _section(text, section)
    line = f"{name}: {scalar(value)}"
    if node is None:
        return with_last_line(text) + f"{section}:\n{INDENT}{line}\n"
    if isinstance(node, yaml.ScalarNode):
        return _instead_of_nothing(text, node, section, line)
    return _into(text, node, section, line)


def _into(text: str, node: yaml.Node | None, where: str, line: str) -> str:
    if not isinstance(node, yaml.MappingNode):
        raise CannotEdit(f"{where}: expected a mapping; write `{line}` into it")
    if node.flow_style:
        return _into_flow(text, node, line)
    first = node.value[0][0].start_mark
    return line_after(text, node, " " * first.column + line)


def add_callback(text: str, name: str) -> str:
    """Put a callback at the end of `litellm_settings.callbacks`, however that is written."""
    settings = _section(text, "litellm_settings")
    pairs = settings.value if isinstance(settings, yaml.MappingNode) else []
    found = [(key, value) for key, value in pairs if key.value == "callbacks"]
    if not found:
        return _add_list(text, "litellm_settings", "callbacks", name)
    node = found[0][1]
    if isinstance(node, yaml.SequenceNode) and node.flow_style:
        return _into_flow_list(text, node, name)
    if isinstance(node, yaml.SequenceNode):
        first: Any = node.value[0].start_mark
        dash = text.rindex("-", 0, first.index)
        column = dash - (text.rfind("\n", 0, dash) + 1)
        return line_after(text, node, " " * column + f"- {name}")
    written = text[index_of(node.start_mark) : index_of(node.end_mark)]
    items = f"[{written}, {name}]" if node.value not in ("", "null", "~") else f"[{name}]"
    return replaced(text, node, items if written else f" {items}")


def set_model(text: str, number: int, model: str) -> str:
    """Give the entry `number` of `model_list` another `litellm_params.model`."""
    node = value_of(_params(text, number), "model")
    if not isinstance(node, yaml.ScalarNode):
        raise CannotEdit(f"model_list[{number}].litellm_params.model: write {scalar(model)} there")
    return replaced(text, node, scalar(model))


def add_param(text: str, number: int, name: str, value: object) -> str:
    """Put `name: value` at the end of `litellm_params` of the entry `number` of `model_list`."""
    where = f"model_list[{number}].litellm_params"
    return _into(text, _params(text, number), where, f"{name}: {scalar(value)}")


def _params(text: str, number: int) -> yaml.Node | None:
    entries = _section(text, "model_list")
    listed = entries.value if isinstance(entries, yaml.SequenceNode) else []
    entry = listed[number] if number < len(listed) else None  # of an included file
    return value_of(entry, "litellm_params")


def append(text: str, block: str) -> str:
    """Put a block of lines at the end, after an empty line."""
    return f"{with_last_line(text)}\n{block}"


def check(text: str, expected: object) -> None:
    """
    Compare what a text contains with what it should.

    Raises:
        CannotEdit: it is something else, so the edits did not understand the file.

    """
    try:
        found = yaml_text.load(text)
    except NotReadable as error:
        raise CannotEdit(
            f"the changed file would not be readable ({error}); make the changes by hand"
        ) from error
    if found != expected:
        raise CannotEdit(
            "the changed file would contain something else than it should; make the changes by hand"
        )


# --- where things are ------------------------------------------------------------------------------


def root_of(text: str) -> yaml.MappingNode:
    """The tree of a text. Raises `CannotEdit` unless it is a plain mapping of sections."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:  # an edit before this one was misplaced
        raise CannotEdit(
            "the file is written in a style that is not understood; make the changes by hand"
        ) from error
    if (
        not isinstance(node, yaml.MappingNode)
        or node.flow_style
        or re.search(r"^\.\.\.\s*$", text, re.MULTILINE)
    ):
        raise CannotEdit("the file is not a plain mapping of sections; make the changes by hand")
    return node


def _section(text: str, name: str) -> yaml.Node | None:
    for key, value in root_of(text).value:
        if key.value == name:
            if index_of(value.start_mark) < index_of(key.start_mark):
                raise CannotEdit(f"{name}: an alias of another section; make the changes by hand")
            node: yaml.Node = value
            return node
    return None


def value_of(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The value of a key, None where there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def index_of(mark: Any) -> int:  # noqa: ANN401 - PyYAML's
    """The character of the text at which a mark is."""
    return int(mark.index)


def with_last_line(text: str) -> str:
    """The text with an end of its last line."""
    return text if text.endswith("\n") or not text else f"{text}\n"


def end_of(node: yaml.Node) -> int:
    """The end of a node's last value: for PyYAML a collection ends behind comments and empty lines."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return end_of(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return end_of(node.value[-1])
    return index_of(node.end_mark)


def line_after(text: str, node: yaml.Node, line: str) -> str:
    """Put a line behind the last line of a collection in block style."""
    end = end_of(node)
    if end and text[end - 1 : end] == "\n":  # a block of text ends with its line
        while text[:end].endswith("\n\n"):
            end -= 1
        return f"{text[:end]}{line}\n{text[end:]}"
    stop = text.find("\n", end)
    if stop < 0:
        return f"{text}\n{line}\n"
    return f"{text[:stop]}\n{line}{text[stop:]}"


def replaced(text: str, node: yaml.Node, written: str) -> str:
    """The text with something else in the place of a node."""
    return text[: index_of(node.start_mark)] + written + text[index_of(node.end_mark) :]


def _instead_of_nothing(text: str, node: yaml.ScalarNode, section: str, line: str) -> str:
    if node.value not in ("", "null", "~"):
        raise CannotEdit(f"{section}: expected a mapping; write `{line}` into it")
    start, end = index_of(node.start_mark), index_of(node.end_mark)
    before = text[:start].rstrip(" ") if end > start else text[:start]
    rest = text[end:]
    stop = rest.find("\n")
    stop = len(rest) if stop < 0 else stop
    return f"{before}{rest[:stop]}\n{INDENT}{line}{rest[stop:] or chr(10)}"


def _into_flow(text: str, node: yaml.MappingNode, line: str) -> str:
    start = index_of(node.start_mark) + 1
    return f"{text[:start]}{line}{', ' if node.value else ''}{text[start:]}"


def _into_flow_list(text: str, node: yaml.SequenceNode, name: str) -> str:
    if not node.value:
        return replaced(text, node, f"[{name}]")
    end = index_of(node.value[-1].end_mark)
    return f"{text[:end]}, {name}{text[end:]}"


def _add_list(text: str, section: str, name: str, item: str) -> str:
    """As `add_setting`, with a list of one: written as a text first, since only texts are quoted."""
    mark = "HOMELAB-LIST"
    return add_setting(text, section, name, mark).replace(f"{name}: {mark}", f"{name}: [{item}]", 1)
