"""The imports run one way, and heavy ones come late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("zoo", "compare", "cards", "cli")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TYPES = {
    *("compare.result", "compare.inside", "compare.inspection", "compare.probe_result"),
    *("compare.group_result", "compare.reproduction_result"),
    *("compare.calibration", "compare.confusions", "compare.examples"),
    *("compare.naming", "compare.block_structure", "compare.disagreement", "compare.statistics"),
}
MAY_KNOW = TYPES | {"zoo.record", "zoo.folder", "zoo.card", "zoo.dataset_name"}


def imports(path, top_level_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def tops(path):
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    package = path.relative_to(ROOT).parts[0]
    forbidden = {"zoo": {"compare", "cards", "cli"}, "compare": {"zoo", "cards", "cli"}, "cards": {"cli"}, "cli": set()}
    assert not tops(path) & forbidden[package]
    if package != "cli":
        assert not tops(path) & {"typer", "rich"}
    if package == "cards":
        ours = {name for name in imports(path) if name.split(".")[0] in ("zoo", "compare")}
        assert ours <= MAY_KNOW


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_hides_a_package(path):
    assert path.stem not in PACKAGES


def test_torch_is_not_imported_before_a_model_runs():
    modules = "sys, cli.app, cli.report, cards.model_card, cards.picture, compare.result, zoo.record"
    code = f"import {modules}; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_help_needs_nothing_that_takes_long_to_import():
    code = "import sys, cli.app; print({'torch', 'numpy', 'rich', 'huggingface_hub', 'matplotlib'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
