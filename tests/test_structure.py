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
IMPORTERS = frozenset({"import_module", "__import__"})


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def _imports(module: str) -> Iterator[str]:
    """Dotted names of all that a module imports, anywhere in it; `from a import b` gives `a.b`."""
    return _imported(_tree(module), ("litellm_homelab", *Path(module).parent.parts))


def _imported(tree: ast.Module, package: tuple[str, ...]) -> Iterator[str]:
    """The same for a tree; `package` is where relative imports begin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            place = ".".join((*base, *([node.module] if node.module else ())))
            yield from (f"{place}.{alias.name}" for alias in node.names)


def _is_litellms(name: str) -> bool:
    """Whether a module is LiteLLM's, or of one of its companions (`litellm_enterprise`)."""
    top = name.split(".", 1)[0]
    return top.startswith("litellm") and top != "litellm_homelab"


def _is_in(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}/") for place in places)


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.KNOWS_LITELLM)])
def test_only_the_adapter_imports_litellm(module: str) -> None:
    """LiteLLM is imported by the adapter, the guardrail and the tools for tests, and by nothing else."""
    assert [name for name in _imports(module) if _is_litellms(name)] == []


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.USES_THE_ADAPTER)])
def test_rules_import_nothing_of_the_adapter(module: str) -> None:
    """Rules and settings know nothing of the adapter, so they can be tested and read without LiteLLM."""
    adapter = f"litellm_homelab.{structure.ADAPTER}"
    assert [name for name in _imports(module) if f"{name}.".startswith(f"{adapter}.")] == []


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.USES_THE_ADAPTER)])
def test_modules_are_imported_where_it_can_be_read(module: str) -> None:
    """An import by name would pass the two tests above; the modules that are listed have one."""
    found = [name for name in _calls(_tree(module)) if name in IMPORTERS]
    assert found == [] or module in structure.IMPORTS_BY_NAME


def _calls(tree: ast.Module) -> Iterator[str]:
    """Names of the functions and methods that a module calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


@pytest.mark.parametrize("module", [one for one in MODULES if not _is_in(one, structure.KNOWS_LITELLM)])
def test_only_the_adapter_names_keys_of_litellm(module: str) -> None:
    """Keys that LiteLLM puts into its dicts are read, written and compared by the adapter only."""
    named = {text for text in _texts(_tree(module)) if text in structure.KEYS_OF_LITELLM}
    assert sorted(named) == sorted(structure.NAMES_A_KEY.get(module, ()))


def _texts(tree: ast.Module) -> Iterator[str]:
    """Every text of a module: in `x["key"]`, `x.get("key")`, `"key" in x`, `KEY = "key"`, `{"key": 1}`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


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


def test_the_slowest_files_are_there() -> None:
    """Each name in slowest.txt is that of a test file, once."""
    names = (TESTS / "slowest.txt").read_text(encoding="utf-8").split()
    assert [name for name in names if not (TESTS / name).is_file()] == []
    assert len(names) == len({*names})


def test_the_map_names_no_helper_that_is_gone() -> None:
    """Each line of the map that begins with a module names one that exists."""
    lines = (TESTS / "README.md").read_text(encoding="utf-8").splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("- `") and ".py`: " in line]
    assert sorted(named) == sorted(HELPERS)


@pytest.mark.parametrize(
    "written",
    [
        "d['k']",
        "d.get('k')",
        "d.pop('k', 0)",
        "'k' in d",
        "K = 'k'",
        "{'k': 1}",
        "match d:\n case {'k': 1}: 0",
    ],
)
def test_each_way_to_name_a_key_is_seen(written: str) -> None:
    """Read, written, compared or put into a name first."""
    assert "k" in _texts(ast.parse(written))


@pytest.mark.parametrize(
    ("written", "imported"),
    [
        ("import litellm.router", "litellm.router"),
        ("def f():\n    from litellm import x", "litellm.x"),
        ("from ..adapter import context", "litellm_homelab.adapter.context"),
        ("from .. import adapter", "litellm_homelab.adapter"),
        ("from . import rule", "litellm_homelab.showroom.rule"),
        ("from litellm_enterprise import x", "litellm_enterprise.x"),
    ],
)
def test_each_way_to_import_is_seen(written: str, imported: str) -> None:
    """At the top or inside of a function, absolute or relative."""
    assert [*_imported(ast.parse(written), ("litellm_homelab", "showroom"))] == [imported]
    assert _is_litellms(imported) == (not imported.startswith("litellm_homelab"))


def test_each_way_to_import_by_name_is_seen() -> None:
    """Of the module or of the function."""
    assert IMPORTERS & {*_calls(ast.parse("importlib.import_module('x')"))}
    assert IMPORTERS & {*_calls(ast.parse("import_module('x')"))}
    assert IMPORTERS & {*_calls(ast.parse("__import__('x')"))}


# --- the request's outcome ------------------------------------------------------------------


def test_the_outcome_has_its_own_writers() -> None:
    """No other module assigns a part of a request's outcome: `refuse` and its like do."""
    found = [
        f"{module}:{target.lineno}"
        for module in MODULES
        if module != "adapter/outcome.py"
        for node in ast.walk(_tree(module))
        for target in _assigned(node)
        if ast.unparse(target.value).rpartition(".")[2] == "outcome"
    ]
    assert found == []


def _assigned(node: ast.AST) -> Iterator[ast.Attribute]:
    """The attributes that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, ast.Attribute):
                yield one


def _without_timeout(text: str) -> Iterator[int]:
    """Lines on which a program is run and waited for, however long it takes."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        of_module = isinstance(node.func.value, ast.Name) and node.func.value.id == "subprocess"
        waits = of_module and node.func.attr in {"run", "call", "check_call", "check_output"}
        if (waits or node.func.attr == "communicate") and all(one.arg != "timeout" for one in node.keywords):
            yield node.lineno


@pytest.mark.parametrize(
    ("written", "found"),
    [
        pytest.param("subprocess.run(['a'], check=True)", [1], id="run"),
        pytest.param("\nsubprocess.check_output(['a'])", [2], id="check_output"),
        pytest.param("process.communicate()", [1], id="communicate"),
        pytest.param("subprocess.run(['a'], timeout=5)", [], id="bounded"),
        pytest.param("self.run(['a'])", [], id="another run"),
    ],
)
def test_each_way_to_wait_for_a_program_is_seen(written: str, found: list[int]) -> None:
    """The check below rests on it."""
    assert [*_without_timeout(written)] == found


def test_no_test_waits_for_a_program_without_end() -> None:
    """A program that hangs ends its test, with what it printed, and not the whole run."""
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in sorted(TESTS.rglob("*.py"))
        for number in _without_timeout(path.read_text(encoding="utf-8"))
    ]
    assert found == []
