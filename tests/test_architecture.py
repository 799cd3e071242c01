"""The tree's own rules: who may import whom, how large things may grow, and what starts fast."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "flatpipe"
CORE_WORDS = {"quantize.options", "quantize.knee"}
# ^ the two modules of the core that are standard library alone: what a caller may choose, and what a curve says
GROUND = {
    *("records", "settings", "errors", "vocabulary", "places", "versions", "environment", "observer", "stop"),
    *("layout", "text", "summaries", "system"),
}

# From the top floor down: room -> (rooms of flatpipe that it may know, libraries beside the standard one).
# The order is a rule too: a room knows only rooms that stand below it here, so no arrow runs back up.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "__main__": ({"cli"}, set()),
    "cli": (
        {
            "pipeline",
            "running",
            "proof",
            "engines",
            "plan",
            "report",
            "features",
            "ledger",
            "storage",
            "config",
            *CORE_WORDS,
            *GROUND,
        },
        {"click", "rich"},
    ),
    "__init__": ({"api", "config", "errors", "versions"}, set()),
    "api": (
        {"pipeline", "plan", "decode", "encode", "storage", "config", "palettes", "quantize", *GROUND},
        {"numpy", "PIL"},
    ),
    "pipeline": (
        {"running", "proof", "engines", "plan", "report", "ledger", "storage", "config", *GROUND},
        {"dask"},
    ),
    "running": (
        {"proof", "engines", "plan", "report", "ledger", "storage", "config", *GROUND},
        {"dask", "prometheus_client"},
    ),
    "proof": ({"plan", "work", "ledger", "storage", "config", *GROUND}, {"PIL", "av"}),
    "engines": (
        {"work", "plan", "ledger.packs.rows", "ledger.shared_rows", "storage", "config", *GROUND},
        {"dask", "distributed", "psutil", "threadpoolctl", "cryptography", "asyncssh"},
    ),
    "plan": ({"ledger", "decode", "storage", "config", "palettes", *CORE_WORDS, *GROUND}, {"dask", "psutil"}),
    "work": (
        {
            "ledger.rows",
            "ledger.packs.rows",
            "ledger.shared_rows",
            "pictures",
            "decode",
            "encode",
            "storage",
            "palettes",
            "quantize",
            *GROUND,
        },
        {"numpy"},
    ),
    "report": ({"features", "ledger", "storage", *CORE_WORDS, *GROUND}, {"jinja2"}),
    "features": ({"ledger", "storage", "palettes", "quantize", *GROUND}, {"numpy", "pyarrow"}),
    "ledger": (GROUND, set()),
    "pictures": ({"encode", "quantize", *GROUND}, {"PIL", "numpy"}),
    "decode": (GROUND, {"PIL", "numpy", "pillow_heif"}),
    "encode": ({"palettes", "quantize", *GROUND}, {"PIL", "numpy", "numba", "imageio", "av"}),
    "storage": ({"palettes", *GROUND}, {"bracex", "fsspec", "wcmatch", "indexed_gzip", "pyarrow"}),
    "config": (
        {"palettes", *CORE_WORDS, "errors", "vocabulary", "places", "text"},
        {"yaml", "pydantic", "pydantic_core"},
    ),
    "palettes": ({"errors", "vocabulary", "text"}, {"numpy", "PIL"}),
    **{room: ({*CORE_WORDS, *GROUND}, set()) for room in sorted(GROUND)},
    "quantize": (set(), {"numpy", "numba", "llvmlite", "sklearn", "threadpoolctl"}),
}
FLOOR = {room: floor for floor, room in enumerate(ROOMS)} | dict.fromkeys(GROUND, len(ROOMS))

STARTS_FAST = {"cli", "__init__", "api", "engines.open"}
# ^ may import flatpipe inside functions. cli: `--help` must not wait; __init__: `import flatpipe` must not compile;
#   api: flatten needs no Dask; engines.open: threads need no distributed
MOST_LINES, MOST_FUNCTION_LINES, MOST_MODULES = 250, 50, 16
USUAL_FUNCTION_LINES, USUAL_SHARE = 20, 0.9


@dataclass(frozen=True)
class Module:
    """One module of the package, as text and as syntax."""

    name: str
    # ^ dotted, below flatpipe
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder that it stands in, or itself on the ground floor."""
        return self.name.partition(".")[0]


@cache
def _modules() -> tuple[Module, ...]:
    def module(path: Path) -> Module:
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        text = path.read_text(encoding="utf-8")
        return Module(name.removesuffix(".__init__"), text, ast.parse(text))

    return tuple(module(path) for path in sorted(PACKAGE.rglob("*.py")))


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _imports(module: Module) -> Iterator[tuple[str, bool]]:
    """Every imported module's dotted name, and whether the import stands inside a function."""
    inside = {id(node) for function in _functions(module) for node in ast.walk(function)}
    known = {one.name for one in _modules()} | {one.room for one in _modules()}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            below = source.removeprefix("flatpipe").lstrip(".")
            for alias in node.names:
                inner = f"{below}.{alias.name}".lstrip(".")
                is_module = source.partition(".")[0] == "flatpipe" and inner in known
                yield f"flatpipe.{inner}" if is_module else source, id(node) in inside


def _inner_imports(module: Module) -> Iterator[str]:
    """What a module imports of flatpipe outside its own room, dotted below flatpipe."""
    for imported, _ in _imports(module):
        top, _, inner = imported.partition(".")
        if top == "flatpipe" and inner.partition(".")[0] != module.room:
            yield inner or "__init__"


def _is_within(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


def test_every_room_stands_in_the_table() -> None:
    """Every folder and every module at the top has its row, and no row is left of one that is gone."""
    assert {module.room or "__init__" for module in _modules()} == set(ROOMS)


def test_no_arrow_runs_back_up() -> None:
    """A room may only be allowed what stands below it in the table."""
    back = [
        f"{room} -> {below}"
        for room, (allowed, _) in ROOMS.items()
        for below in allowed
        if FLOOR[below.partition(".")[0]] <= FLOOR[room] and not (room in GROUND and below in GROUND | CORE_WORDS)
    ]
    assert back == []


def test_rooms_import_only_what_their_row_allows() -> None:
    """Each room knows only the rooms of flatpipe in its row."""
    strangers = [
        f"{module.name} imports {imported}"
        for module in _modules()
        for imported in _inner_imports(module)
        if not _is_within(imported, ROOMS[module.room or "__init__"][0])
    ]
    assert strangers == []


def test_rooms_use_only_the_libraries_of_their_row() -> None:
    """Each room knows only the libraries in its row: Dask stands in engines, Pillow where pixels are made."""
    strangers = [
        f"{module.name} imports {imported}"
        for module in _modules()
        for imported in sorted({name.partition(".")[0] for name, _ in _imports(module)})
        if imported not in (*sys.stdlib_module_names, "flatpipe", *ROOMS[module.room or "__init__"][1])
    ]
    assert strangers == []


def test_modules_import_in_no_circle() -> None:
    """No module imports itself by way of others, late imports included."""
    arrows = {
        module.name: {name.removeprefix("flatpipe.") for name, _ in _imports(module) if name.startswith("flatpipe.")}
        for module in _modules()
    }
    while leaves := {name for name, known in arrows.items() if not known & arrows.keys()}:
        arrows = {name: known for name, known in arrows.items() if name not in leaves}
    assert arrows == {}


def test_kernels_take_nothing_from_beyond_the_core() -> None:
    """A file with kernels imports of flatpipe only quantize/ and what lies beside it: both are in its cache's stamp."""
    beyond = [
        f"{module.name} imports {imported}"
        for module in _modules()
        if "\n@kernel\n" in module.text
        for imported, _ in _imports(module)
        if imported.startswith("flatpipe.")
        if not _is_within(imported, {"flatpipe.quantize", f"flatpipe.{module.name.rpartition('.')[0]}"})
    ]
    assert beyond == []


def test_imports_stand_at_the_top() -> None:
    """Only modules that must start fast import flatpipe inside functions: cycles are not hidden that way."""
    late = [
        f"{module.name} imports {imported}"
        for module in _modules()
        if not _is_within(module.name or "__init__", STARTS_FAST)
        for imported, inside in _imports(module)
        if inside and imported.startswith("flatpipe")
    ]
    assert late == []


def test_nothing_outgrows_a_head() -> None:
    """No function is longer than 50 lines, no module than 250, no folder holds more than 16 modules."""
    functions = [
        f"{module.name}: {function.name} has {_lines(function)} lines"
        for module in _modules()
        for function in _functions(module)
        if _lines(function) > MOST_FUNCTION_LINES
    ]
    modules = [
        f"{module.name} has {module.text.count(chr(10))} lines"
        for module in _modules()
        if module.text.count("\n") > MOST_LINES
    ]
    folders = [
        f"{folder.relative_to(PACKAGE)} has {count} modules"
        for folder in (PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir()))
        if (count := sum(path.name not in ("__init__.py", "__main__.py") for path in folder.glob("*.py")))
        > MOST_MODULES
    ]
    assert [*functions, *modules, *folders] == []


def test_nine_functions_of_ten_are_short() -> None:
    """At least 90 % of all functions fit within 20 lines."""
    lengths = [_lines(function) for module in _modules() for function in _functions(module)]
    share = sum(length <= USUAL_FUNCTION_LINES for length in lengths) / len(lengths)
    assert share >= USUAL_SHARE, f"{share:.1%} of {len(lengths)} functions"


SQL = re.compile(r"\b(SELECT .+ FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE)\b", re.DOTALL)


def test_only_the_ledger_speaks_sql() -> None:
    """No module outside ledger/ imports sqlite3 or holds a query: columns and their order are known in one room."""
    strangers = [
        f"{module.name}: {found[0]}"
        for module in _modules()
        if module.room != "ledger"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := SQL.search(node.value))
    ]
    strangers += [
        f"{module.name} imports {name}"
        for module in _modules()
        if module.room != "ledger"
        for name, _ in _imports(module)
        if name.partition(".")[0] == "sqlite3"
    ]
    assert strangers == []


def test_queries_name_their_columns() -> None:
    """No query of the ledger reads or writes a row by the order of a table's columns alone."""
    unnamed = re.compile(r"SELECT (\w\.)?\*|INTO \w+ VALUES")
    texts = {module.name: found[0] for module in _modules() if (found := unnamed.search(module.text))}
    assert texts == {}


def test_every_room_has_its_tests() -> None:
    """Every folder of the package that holds modules has a folder of tests of the same name."""
    folders = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")} - {Path()}
    missing = sorted(
        str(folder) for folder in folders if not any((PACKAGE.parent / "tests" / folder).rglob("test_*.py"))
    )
    assert missing == []


def _check_imports(arguments: list[str], heavy: set[str]) -> None:
    """Run a command in a process of its own; fail when it does, or when it imports one of the libraries."""
    program = (
        "import sys\nfrom flatpipe.cli import main\n"
        f"sys.argv = ['flatpipe', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = {heavy!r} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["validate", "pipeline.yaml"], ["plan", "pipeline.yaml"]], ids=" ".join
)
def test_quick_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """Help, validate and plan load neither numba nor scikit-learn nor distributed."""
    _check_imports(arguments, {"numba", "sklearn", "distributed"})


def test_flatten_imports_only_what_it_uses(tmp_path: Path) -> None:
    """Flattening a local image, once kernels are compiled, loads no compiler, no cluster, no object store, no WebP."""
    arguments = ["flatten", "data/kodim03.png", "-k", "2", "-q", "-o", str(tmp_path)]
    _check_imports(arguments, set())
    _check_imports(
        [*arguments, "--force"],
        {"numba", "sklearn", "scipy", "distributed", "fsspec", "imageio", "numpy.ma"},
    )
