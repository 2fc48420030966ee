"""The family in timm: by name, and from a saved folder, once `zoo` is imported."""

import subprocess
import sys

import pytest
import torch

from zoo.checkpoint import load_checkpoint


def run(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.slow
def test_saved_folder_loads_through_timm_and_gives_the_same_logits(folders, tmp_path):
    code = """
import sys, torch, zoo, timm
model = timm.create_model("local-dir:" + sys.argv[1], pretrained=True).eval()
torch.save(model(torch.load(sys.argv[2] + "/x")), sys.argv[2] + "/y")
"""
    x = torch.rand(4, 1, 8, 8)
    torch.save(x, tmp_path / "x")
    ran = run(code, folders[0], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert torch.equal(torch.load(tmp_path / "y"), load_checkpoint(folders[0])(x))


@pytest.mark.slow
def test_timm_builds_members_by_name_even_if_imported_first():
    code = """
import zoo.timm_hook
zoo.timm_hook._mend_torchvision()
import sys
sys.meta_path = [f for f in sys.meta_path if type(f).__name__ != "_TimmFinder"]
import timm
assert not timm.is_model("cifar_resnet")
zoo.timm_hook.install()
model = timm.create_model("cifar_resnet", depth=20, width=2, in_chans=1, num_classes=5)
print(sum(p.numel() for p in model.parameters()))
"""
    ran = run(code)
    assert ran.returncode == 0, ran.stderr
    from zoo.family import Variant

    assert int(ran.stdout) == Variant(20, 2, 1, 5).parameters


@pytest.mark.slow
def test_asking_whether_timm_is_there_disarms_nothing():
    code = """
import importlib.util, zoo
assert importlib.util.find_spec("timm")
import timm
print(timm.is_model("cifar_resnet"), timm.__spec__.loader.get_source("timm") is not None)
"""
    ran = run(code)
    assert ran.stdout.split() == ["True", "True"], ran.stderr


def test_importing_zoo_stays_cheap():
    ran = run("import sys, zoo; print('torch' in sys.modules, 'timm' in sys.modules)")
    assert ran.stdout.split() == ["False", "False"]
