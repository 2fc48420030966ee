"""The imports run one way, every folder is small enough to read, and heavy libraries come late."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# In each package a wing may import those before it; wings in brackets do not know each other.
ORDER = {
    "zoo": ["errors", "base", "family", "record", "model_folder", "hub", "data", "train", ("grid", "prune")],
    "compare": [
        *("errors", "result", "stats", "similarity", "structure", "model", "answers", "engine"),
        *(("probes", "groups"), "study"),
    ],
    "cards": ["words", "tables", ("model_card", "pictures"), "page", "pages"],
    "cli": ["terminal", "cache", "inputs", "jobs", ("compute", "train", "report"), "commands", "app", "child"],
}
# What a package may import of the others.
OTHERS = {
    "zoo": set(),
    "compare": set(),
    "cards": {
        *("compare.result", "compare.stats.paired", "compare.structure.layer_names"),
        *("zoo.record", "zoo.model_folder.folder", "zoo.model_folder.card_marker"),
    },
    "cli": {"zoo", "compare", "cards"},
}
MOST_ENTRIES = 12
MOST_LINES = 310


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


PATHS = {name_of(path): path for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))}
MODULES = sorted(PATHS)


def imports(name):
    """Modules that a file imports anywhere in it, those of the project by their full names."""
    tree = ast.parse(PATHS[name].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ([full for full in inside if full in PATHS] or [node.module])


def wing(name):
    return name.split(".")[1] if "." in name else "__init__"


def may_import(package, one, other):
    """Whether a wing may import another of its package."""
    places = {name: place for place, names in enumerate(ORDER[package]) for name in _each(names)}
    return one == other or "__init__" in (one, other) or places[other] < places[one]


def _each(names):
    return names if isinstance(names, tuple) else (names,)


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    package = name.split(".")[0]
    for imported in imports(name):
        other = imported.split(".")[0]
        if other == package:
            assert may_import(package, wing(name), wing(imported)), imported
        elif other in ORDER:
            assert any(f"{imported}.".startswith(f"{allowed}.") for allowed in OTHERS[package]), imported
        elif package != "cli":
            assert other not in ("typer", "rich")


def test_no_files_import_each_other_in_a_circle():
    files = {name: {other for other in imports(name) if other in PATHS and other != name} for name in MODULES}
    TopologicalSorter({name: others for name, others in files.items() if wing(name) != "__init__"}).prepare()


def test_no_command_imports_a_command():
    commands = [name for name in MODULES if name.startswith("cli.commands.")]
    assert len(commands) > 20
    for name in commands:
        assert not [other for other in imports(name) if other.startswith("cli.commands.")], name


@pytest.mark.parametrize("name", MODULES)
def test_files_are_short(name):
    assert len(PATHS[name].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_folders_are_small():
    tracked = [path for package in ORDER for path in (ROOT / package).rglob("*") if "__pycache__" not in path.parts]
    for folder in {path.parent for path in tracked}:
        entries = {path.name for path in tracked if path.parent == folder} - {"README.md", "__init__.py"}
        assert len(entries) <= MOST_ENTRIES, folder


@pytest.mark.parametrize("name", MODULES)
def test_no_module_hides_a_package(name):
    assert wing(name) == "__init__" or not set(name.split(".")[1:]) & set(ORDER)


def test_tests_import_nothing_from_each_other():
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    assert len(paths) > 90
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("tests"):
                assert node.module.split(".")[1] in ("support", "benchmarks"), path


def test_every_test_folder_is_a_package():
    # Otherwise `import zoo` finds tests/zoo.
    for path in (ROOT / "tests").rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), path


def loaded_after(modules):
    code = f"import sys, {modules}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_torch_is_not_imported_before_a_model_runs():
    free = ["cli.app", *(name for name in MODULES if name.startswith(("compare.result", "zoo.record", "cards.")))]
    assert "torch" not in loaded_after(", ".join([*free, "cli.report.comparison"]))


def test_help_needs_nothing_that_takes_long_to_import():
    assert not {"torch", "numpy", "rich", "huggingface_hub", "matplotlib"} & loaded_after("cli.app")
