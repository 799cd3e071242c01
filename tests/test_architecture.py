"""The tree's own rules: who may import whom, how large things may grow, and what starts fast."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "flatpipe"
MODULES = sorted(PACKAGE.rglob("*.py"))

# module or folder -> (what of flatpipe it may import, what else beside the standard library)
RULES: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "versions": (set(), set()),
    "records": ({"quantize.options"}, set()),
    "environment": (set(), set()),
    "interrupts": ({"records"}, set()),
    "observer": ({"records"}, set()),
    "quantize": ({"quantize"}, {"numpy", "numba", "sklearn", "threadpoolctl"}),
    "config": ({"errors", "config", "quantize.options"}, {"yaml", "pydantic", "pydantic_core"}),
    "files": (
        {"files", "records", "errors", "versions", "quantize"},
        {"PIL", "numpy", "fsspec", "imageio", "wcmatch", "pillow_heif", "numba"},
    ),
    "batch.cache": (set(), set()),
    "batch.endurance": (set(), set()),
    "batch.allocator": (set(), set()),
    "batch.loaded": ({"quantize", "files", "batch.endurance", "records", "errors"}, {"numpy"}),
    "batch.sweep": ({"quantize", "files", "batch.loaded", "records", "report.knee", "report.pictures"}, set()),
    "batch.outcome": ({"quantize", "batch.loaded", "records"}, set()),
    "batch.tasks": (
        {
            *("batch.cache", "batch.endurance", "batch.loaded", "batch.outcome", "batch.sweep"),
            *("quantize", "files", "records", "errors"),
        },
        set(),
    ),
    "batch.warm_up": ({"quantize", "files"}, {"numpy"}),
    "batch.fingerprint": ({"records", "versions"}, set()),
    "batch.settings": ({"config", "records", "files.layout", "files.discover", "quantize.options"}, {"dask", "psutil"}),
    "batch.memory": ({"files", "records", "errors"}, set()),
    "batch.plan": (
        {"batch.fingerprint", "records", "files.layout", "files.ledger", "files.ledger_rows", "files.storage"},
        set(),
    ),
    "batch.bundle": ({"records"}, set()),
    "batch.graph": ({"batch.tasks", "batch.bundle", "records"}, {"dask"}),
    "batch.execute": ({"batch.tasks", "batch.bundle", "batch.graph", "files.ledger", "records", "errors"}, {"dask"}),
    "batch.cluster": (
        {"batch.tasks", "batch.bundle", "batch.execute", "batch.keeper", "batch.opening", "errors"},
        {"dask", "distributed"},
    ),
    "batch.keeper": (set(), {"dask"}),
    "batch.quiet": (set(), {"dask"}),
    "batch.worker": (
        {"batch.tasks", "batch.allocator", "batch.endurance", "batch.memory", "files.quiet"},
        {"distributed", "psutil", "threadpoolctl"},
    ),
    "batch.preflight": ({"batch.memory", "batch.worker", "files", "records", "errors"}, {"threadpoolctl"}),
    "batch.deploy": ({"batch.keeper", "config", "errors"}, {"dask"}),
    "batch.opening": ({"config", "records"}, set()),
    "batch.connect": ({"batch", "config", "errors"}, {"dask", "distributed"}),
    "batch.engines": ({"batch", "config", "errors"}, {"dask", "psutil"}),
    "report.pictures": ({"report", "files", "records"}, {"numpy", "PIL"}),
    "report": (
        {"report", "observer", "records", "files.layout", "files.ledger", "files.storage", "quantize.options"},
        {"rich", "jinja2"},
    ),
    "planning": ({"batch.fingerprint", "batch.plan", "batch.settings", "config", "errors", "files", "records"}, set()),
    "pipeline": (
        {
            *("planning", "finishing", "run_log", "proof", "interrupts", "observer", "config", "records"),
            *("files", "batch", "errors"),
        },
        {"dask"},
    ),
    "proof.scratch": ({"batch.tasks", "files.remote", "records"}, set()),
    "proof.recompute": ({"proof", "planning", "files", "records"}, set()),
    "proof.estimate": ({"proof", "batch", "planning", "files", "records"}, set()),
    "proof": ({"proof", "batch.memory", "batch.plan", "planning", "config", "errors", "files", "records"}, {"PIL"}),
    "run_log": ({"environment", "errors", "files.layout", "planning", "proof", "records", "report.screen"}, set()),
    "finishing": ({"config", "environment", "files.layout", "planning", "proof", "records", "report"}, set()),
    "starting": ({"config", "errors", "files", "records"}, set()),
    "cli": (
        {
            *("cli", "pipeline", "planning", "proof", "starting", "finishing", "config", "errors", "files"),
            *("records", "report"),
        },
        {"click"},
    ),
    "image_source": ({"errors", "files.decode", "files.storage", "records"}, {"numpy", "PIL"}),
    "flat_image": ({"errors", "files", "quantize", "records", "report.knee"}, {"numpy"}),
    "api": (
        {
            *("config", "errors", "flat_image", "image_source", "observer"),
            *("quantize", "pipeline", "planning", "records"),
        },
        set(),
    ),
    "__main__": ({"cli"}, set()),
    "__init__": ({"api", "errors"}, set()),
}

LATE_IMPORTS = {"cli", "__init__", "api", "batch.engines"}
# ^ cli: `--help` must not wait; __init__: `import flatpipe` must not compile; api: flatten needs no Dask;
#   engines: threads need no distributed


def _name(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__") if name != "__init__" else name


def _imports(tree: ast.Module) -> list[tuple[str, bool]]:
    """Every imported module's dotted name, and whether the import stands inside a function."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module in ("flatpipe", "flatpipe.batch", "flatpipe.files", "flatpipe.quantize"):
                found += [(f"{module}.{alias.name}", id(node) in inside) for alias in node.names]
            else:
                found.append((module, id(node) in inside))
    return found


def _rule(name: str) -> tuple[set[str], set[str]]:
    for known in (name, name.rpartition(".")[0], name.partition(".")[0]):
        if known in RULES:
            return RULES[known]
    return set(), set()


def _is_within(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in allowed)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_imports_only_what_its_room_may_know(path: Path) -> None:
    """Imports point down: each room of the tree knows only the rooms and libraries of its row."""
    ours, theirs = _rule(_name(path))
    for module, _ in _imports(ast.parse(path.read_text())):
        top = module.split(".")[0]
        if top == "flatpipe":
            inner = module.removeprefix("flatpipe").lstrip(".")
            assert inner in ("", "__version__") or _is_within(inner, ours), f"{path.name} imports {module}"
        elif top not in sys.stdlib_module_names:
            assert top in theirs, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_stand_at_the_top(path: Path) -> None:
    """Only modules that must start fast import flatpipe inside functions: cycles are not hidden that way."""
    if _is_within(_name(path), LATE_IMPORTS):
        return
    late = [
        module for module, inside in _imports(ast.parse(path.read_text())) if inside and module.startswith("flatpipe")
    ]
    assert late == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_functions_fit_on_a_screen_and_modules_in_a_head(path: Path) -> None:
    """No function is longer than 50 lines, no module longer than 250."""
    text = path.read_text()
    assert text.count("\n") <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 50, f"{path.name}: {node.name}"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["validate", "pipeline.yaml"], ["plan", "pipeline.yaml"]], ids=" ".join
)
def test_quick_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """Help, validate and plan load neither numba nor scikit-learn nor distributed."""
    program = (
        "import sys\nfrom flatpipe.cli import main\n"
        f"sys.argv = ['flatpipe', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'numba', 'sklearn', 'distributed'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_tasks_never_see_dask() -> None:
    """What a worker does can be read, run and tested without Dask."""
    for name in ("tasks", "loaded", "cache"):
        imported = {
            module.split(".")[0] for module, _ in _imports(ast.parse((PACKAGE / "batch" / f"{name}.py").read_text()))
        }
        assert not imported & {"dask", "distributed"}
