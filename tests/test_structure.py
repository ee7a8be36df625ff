"""What may import what in the package, and which test each module has."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import structure

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "litellm_homelab"
TESTS = REPOSITORY / "tests"
MODULES = tuple(sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")))
HELPERS = tuple(
    sorted(
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if not path.name.startswith("test_") and path.name not in ("__init__.py", "conftest.py")
    )
)
READERS = frozenset({"get", "pop", "setdefault"})


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def _imports(module: str) -> Iterator[str]:
    """Dotted names of all that a module imports, anywhere in it; `from a import b` gives `a.b`."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}/") for place in places)


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.KNOWS_LITELLM)])
def test_only_the_adapter_imports_litellm(module: str) -> None:
    """LiteLLM is imported by the adapter, the guardrail and the tools for tests, and by nothing else."""
    assert [name for name in _imports(module) if name.split(".")[0] == "litellm"] == []


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.USES_THE_ADAPTER)])
def test_rules_import_nothing_of_the_adapter(module: str) -> None:
    """Rules and settings know nothing of the adapter, so they can be tested and read without LiteLLM."""
    adapter = f"litellm_homelab.{structure.ADAPTER}"
    assert [name for name in _imports(module) if f"{name}.".startswith(f"{adapter}.")] == []


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.KNOWS_LITELLM)])
def test_only_the_adapter_reads_keys_of_litellm(module: str) -> None:
    """Keys that LiteLLM puts into its request dicts are read and written by the adapter only."""
    assert sorted(set(_keys_read(_tree(module))) & structure.KEYS_OF_LITELLM) == []


def _keys_read(tree: ast.Module) -> Iterator[str]:
    """Constants in `x["key"]`, `x.get("key")`, `x.pop("key")` and `x.setdefault("key")`."""
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript):
            key = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            key = node.args[0] if node.func.attr in READERS else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def test_no_two_classes_have_one_name() -> None:
    """A class name means one thing in the whole package."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    shared = {name: homes for name, homes in places.items() if len(homes) > 1}
    assert sorted(shared) == sorted(structure.SHARED_CLASS_NAMES), shared


def _has_a_test_of_its_name(module: str) -> bool:
    """Whether tests/ has the file: in the folder of the same name, or in one further up."""
    path = Path(module)
    folders = [TESTS / parent for parent in (path.parent, *path.parent.parents)]
    names = [f"test_{path.stem}.py", f"test_{path.parent.name}_{path.stem}.py"]
    return any((folder / name).is_file() for folder in folders for name in names)


WITHOUT_TEST = {module for modules in structure.TESTED_IN.values() for module in modules}


@pytest.mark.parametrize(
    "module", [one for one in MODULES if not one.endswith(("__init__.py", "__main__.py"))]
)
def test_each_module_has_a_test_of_its_name(module: str) -> None:
    """A module is tested by the file of its name, or the list says by which other; never both."""
    assert _has_a_test_of_its_name(module) != (module in WITHOUT_TEST)


@pytest.mark.parametrize("where", structure.TESTED_IN)
def test_the_list_of_tests_is_true(where: str) -> None:
    """Files and folders of the list exist, and so does every module that it names."""
    assert (TESTS / where).exists()
    assert sorted(set(structure.TESTED_IN[where]) - set(MODULES)) == []


@pytest.mark.parametrize("helper", HELPERS)
def test_each_helper_has_a_line_in_the_map(helper: str) -> None:
    """tests/README.md says of every helper module what it is for."""
    assert f"- `{helper}`: " in (TESTS / "README.md").read_text(encoding="utf-8")


def test_the_map_names_no_helper_that_is_gone() -> None:
    """Each line of the map that begins with a module names one that exists."""
    lines = (TESTS / "README.md").read_text(encoding="utf-8").splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("- `") and ".py`: " in line]
    assert sorted(named) == sorted(HELPERS)


def test_each_way_to_read_a_key_is_seen() -> None:
    """The reader of keys sees each way to read or write one."""
    tree = ast.parse("def f(d):\n    d['a']; d.get('b'); d.pop('c', 0); d.setdefault('d', 1); d['e'] = 1")
    assert sorted(_keys_read(tree)) == ["a", "b", "c", "d", "e"]
