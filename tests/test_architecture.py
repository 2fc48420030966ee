"""Imports follow the order of the wings, folders and files are small, and heavy libraries are imported late."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A wing may import the wings before it in its package. Wings in brackets may not import each other.
ORDER = {
    "zoo": ["errors", "base", "family", "record", "model_folder", "hub", "data", "train", ("grid", "prune")],
    "compare": [
        *("errors", "result", "stats", "similarity", "structure", "model", "answers", "engine"),
        *(("probes", "groups"), "study"),
    ],
    "cards": ["words", "tables", ("model_card", "pictures"), "page", "pages", "results"],
    "cli": ["terminal", "cache", "inputs", "jobs", ("compute", "train", "report"), "commands", "app", "child"],
}
# What a package may import from the other packages.
OTHERS = {
    "zoo": set(),
    "compare": set(),
    "cards": {
        *("compare.errors", "compare.result", "compare.stats.interval", "compare.structure.layer_names"),
        *("zoo.record", "zoo.model_folder.folder", "zoo.model_folder.card_marker"),
    },
    "cli": {"zoo", "compare", "cards"},
}
# Modules that a module loads by their names although it may not import them: results show themselves in notebooks with
# the same words, pictures, and pages as the command line, and only when a user calls one of their methods.
LOADED_BY_NAME = {"compare.result.shown": {"cards.results.show"}}
MOST_ENTRIES = 12
MOST_LINES = 310


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


PATHS = {name_of(path): path for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))}
MODULES = sorted(PATHS)


def imports(path):
    """Modules that a file imports, also inside functions and for type checking, by their full names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in PATHS else node.module for name in names)


def wing(name):
    return name.split(".")[1] if "." in name else "__init__"


def may_import(package, one, other):
    """Whether a wing may import another wing of its package."""
    places = {name: place for place, names in enumerate(ORDER[package]) for name in each(names)}
    return one == other or "__init__" in (one, other) or places[other] < places[one]


def each(names):
    return names if isinstance(names, tuple) else (names,)


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    package = name.split(".")[0]
    for imported in imports(PATHS[name]):
        other = imported.split(".")[0]
        if other == package:
            assert may_import(package, wing(name), wing(imported)), imported
        elif other in ORDER:
            assert any(f"{imported}.".startswith(f"{allowed}.") for allowed in OTHERS[package]), imported
        elif package != "cli":
            assert other not in ("typer", "rich")


@pytest.mark.parametrize("name", MODULES)
def test_no_other_package_is_loaded_by_name(name):
    tree = ast.walk(ast.parse(PATHS[name].read_text(encoding="utf-8")))
    texts = {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {text for text in texts & PATHS.keys() if "." in text and text.split(".")[0] != name.split(".")[0]}
    assert named == LOADED_BY_NAME.get(name, set())


def test_no_files_import_each_other_in_a_circle():
    files = {name: {other for other in imports(path) if other in PATHS} for name, path in PATHS.items()}
    TopologicalSorter(files).prepare()


@pytest.mark.parametrize("package", ORDER)
def test_every_wing_has_its_place_in_the_order_and_in_the_readme(package):
    wings = [name for names in ORDER[package] for name in each(names)]
    assert {wing(name) for name in MODULES if name.split(".")[0] == package} == {*wings, "__init__"}
    folders = [name for name in wings if (ROOT / package / name).is_dir()]
    text = (ROOT / package / "README.md").read_text(encoding="utf-8")
    table = text.split("| wing | what it is for |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)/`", table, flags=re.M)
    # Below the wings stand folders without code.
    assert rows[: len(folders)] == folders
    assert not {name for name in rows[len(folders) :] if list((ROOT / package / name).rglob("*.py"))}
    sentence = re.search(r"^Order of imports: (.*?)\. ?", text, flags=re.M | re.S)[1]
    groups = [
        "{" + ", ".join(f"`{name}`" for name in names) + "}" if len(names) > 1 else f"`{names[0]}`"
        for names in map(each, ORDER[package])
    ]
    assert " ".join(sentence.split()) == " < ".join(groups)


def test_no_command_imports_a_command():
    commands = [name for name in MODULES if name.startswith("cli.commands.")]
    assert len(commands) > 20
    for name in commands:
        assert not [other for other in imports(PATHS[name]) if other.startswith("cli.commands.")], name


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
    paths = sorted((ROOT / "tests").rglob("*.py"))
    assert len(paths) > 90
    for path in paths:
        for imported in imports(path):
            assert imported.split(".")[0] != "tests" or imported.startswith(("tests.support.", "tests.benchmarks")), (
                path
            )


def test_every_test_folder_is_a_package():
    # Otherwise `import zoo` finds tests/zoo.
    for path in (ROOT / "tests").rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), path


def loaded_after(modules):
    """All modules that importing some modules loads in a new process."""
    code = f"import sys, {modules}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_torch_is_not_imported_before_a_model_runs():
    free = ["cli.app", *(name for name in MODULES if name.startswith(("compare.result", "zoo.record", "cards.")))]
    assert "torch" not in loaded_after(", ".join([*free, "cli.report.comparison"]))


def test_help_needs_nothing_that_takes_long_to_import():
    assert not {"torch", "numpy", "rich", "huggingface_hub", "matplotlib"} & loaded_after("cli.app")
