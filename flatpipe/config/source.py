"""YAML text -> plain values, and where in the text each of them stands.

PyYAML composes the nodes; what they mean is decided here, by YAML 1.2's core rules, so that the program agrees with
editors. Duplicate keys, tags, tabs and alias bombs are errors; anchors, aliases and `<<` do what they do elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from flatpipe.config.problems import KeyPath, Origin, Problem, dotted
from flatpipe.config.scalars import fill_variables, read_scalar
from flatpipe.config.syntax import DEEPEST, MOST_NODES, TOO_DEEP, TOO_MANY, SourceError, code_point, compose

_MERGE_KEY = "<<"

_Pair = tuple[yaml.Node, yaml.Node]
# ^ a key and its value


@dataclass(slots=True)
class Source:
    """Plain values of a YAML text, where each was written, and problems that do not prevent reading."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    # ^ of each value
    key_origins: dict[KeyPath, Origin] = field(default_factory=dict)
    unset: dict[KeyPath, tuple[str, ...]] = field(default_factory=dict)
    # ^ variables that a text names and the environment has not
    problems: list[Problem] = field(default_factory=list)


def read_source(text: str, name: str) -> Source:
    """The mapping that the YAML file `name` holds; raises SourceError when it holds none."""
    lines = text.splitlines()

    def place(line: int, column: int) -> Origin:
        return Origin(name, line + 1, column + 1, lines[line] if line < len(lines) else "")

    root = compose(text, place)
    if root is None:
        raise SourceError(Problem(Origin(name, 1, 1), "", "the file is empty; input.path at least is needed"))
    if not isinstance(root, yaml.MappingNode):
        words = "a config is a mapping of sections, such as 'input:' with 'path: photos/' below it"
        raise SourceError(Problem(place(root.start_mark.line, root.start_mark.column), "", words))
    source = Source()
    source.values = _Reader(source, place).read(root, (), 0)
    return source


def read_value(text: str, path: KeyPath, place: Callable[[int, int], Origin]) -> tuple[Any, Source]:
    """The value of a YAML text, such as an argument's, and a Source that knows the places of what is below `path`."""
    source = Source()
    root = compose(text, place)
    if root is None:
        source.origins[path] = place(0, 0)
        return None, source
    return _Reader(source, place).read(root, path, len(path)), source


class _Reader:
    """Reads composed nodes; keeps their places, and their problems, in `source`."""

    def __init__(self, source: Source, place: Callable[[int, int], Origin]) -> None:
        self._source, self._place = source, place
        self._nodes = 0

    def read(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        """The node's value: None, bool, int, float, str, list or dict."""
        self._count(node, path, depth)
        self._source.origins[path] = self._origin(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._refuse_tag(node, path, "sequence")
            return [self.read(inner, (*path, row), depth + 1) for row, inner in enumerate(node.value)]
        self._refuse_tag(node, path, "mapping")
        return self._mapping(node.value, path, depth)

    def _count(self, node: yaml.Node, path: KeyPath, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise SourceError(Problem(self._origin(node), dotted(path[:6]), TOO_MANY))
        if depth > DEEPEST:
            words = f"{TOO_DEEP}; does an anchor contain an alias of itself?"
            raise SourceError(Problem(self._origin(node), dotted(path[:6]), words))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        self._refuse_tag(node, path, "plain", "text", "tag:yaml.org,2002:str")
        filled = fill_variables(node.value)
        if filled.unset:
            self._source.unset[path] = filled.unset
        if filled.changed:
            self._source.origins[path] = replace(self._source.origins[path], written=node.value)
        if node.tag != "plain" or (filled.changed and not filled.text):
            return filled.text
        return read_scalar(filled.text)
        # ^ `workers: ${N}` is a number, `path: "${N}"` a text

    def _mapping(self, pairs: list[_Pair], path: KeyPath, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in pairs:
            if _is_merge(key_node):
                merged.append(value_node)
            elif (key := self._key(key_node, path)) is not None:
                if key in values:
                    first = self._source.key_origins[*path, key]
                    self._complain(key_node, (*path, key), f"given twice; first in line {first.line}")
                    continue
                self._source.key_origins[*path, key] = self._origin(key_node)
                values[key] = self.read(value_node, (*path, key), depth + 1)
        for key_node, value_node in self._pairs_of_merged(merged, path, depth + 1):
            key = self._key(key_node, path)
            if key is not None and key not in values:
                self._source.key_origins[*path, key] = self._origin(key_node)
                values[key] = self.read(value_node, (*path, key), depth + 1)
        return values

    def _pairs_of_merged(self, nodes: list[yaml.Node], path: KeyPath, depth: int) -> Iterator[_Pair]:
        """Pairs that `<<: *anchor` brings; the first one of a key counts."""
        for node in nodes:
            self._count(node, path, depth)
            if isinstance(node, yaml.SequenceNode):
                yield from self._pairs_of_merged(node.value, path, depth + 1)
            elif isinstance(node, yaml.MappingNode):
                yield from (pair for pair in node.value if not _is_merge(pair[0]))
                deeper = [value for key, value in node.value if _is_merge(key)]
                yield from self._pairs_of_merged(deeper, path, depth + 1)
            else:
                self._complain(node, (*path, _MERGE_KEY), "must be a mapping, such as *anchor, or a list of mappings")

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            self._complain(node, path, "a key must be a word")
            return None
        for unseen in [sign for sign in node.value if not sign.isprintable()]:
            self._complain(node, path, f"the key {ascii(node.value)[:80]} holds the invisible {code_point(unseen)}")
            return None
        return str(node.value)

    def _refuse_tag(self, node: yaml.Node, path: KeyPath, *known: str) -> None:
        if node.tag not in known:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._complain(node, path, f"the tag {tag[:80]} is not read; write the value as it is")

    def _complain(self, node: yaml.Node, path: KeyPath, words: str) -> None:
        self._source.problems.append(Problem(self._origin(node), dotted(path), words))

    def _origin(self, node: yaml.Node) -> Origin:
        return self._place(node.start_mark.line, node.start_mark.column)


def _is_merge(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "plain" and node.value == _MERGE_KEY
