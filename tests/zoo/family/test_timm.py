"""The CIFAR family in timm: by name and from a saved folder, after `import zoo`."""

import pytest
import torch

from tests.support.processes import run_python
from zoo.model_folder.checkpoint import load_checkpoint


@pytest.mark.slow
def test_saved_folder_loads_through_timm_and_gives_the_same_logits(folders, tmp_path):
    code = """
import sys, torch, zoo, timm
model = timm.create_model("local-dir:" + sys.argv[1], pretrained=True).eval()
torch.save(model(torch.load(sys.argv[2] + "/x")), sys.argv[2] + "/y")
"""
    x = torch.rand(4, 1, 8, 8)
    torch.save(x, tmp_path / "x")
    ran = run_python(code, folders[0], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert torch.equal(torch.load(tmp_path / "y"), load_checkpoint(folders[0])(x))


@pytest.mark.slow
def test_timm_builds_members_by_name_even_if_imported_first():
    code = """
import sys, zoo
sys.meta_path = [finder for finder in sys.meta_path if getattr(finder, "name", "") != "timm"]
import timm
assert not timm.is_model("cifar_resnet")
zoo.family.import_hooks.install()
model = timm.create_model("cifar_resnet", depth=20, width=2, in_chans=1, num_classes=5)
print(sum(p.numel() for p in model.parameters()))
"""
    ran = run_python(code)
    assert ran.returncode == 0, ran.stderr
    from zoo.family.cifar import Variant

    assert int(ran.stdout) == Variant(20, 2, 1, 5).parameters


@pytest.mark.slow
def test_looking_for_timm_keeps_the_hook():
    code = """
import importlib.util, zoo
assert importlib.util.find_spec("timm")
import timm
print(timm.is_model("cifar_resnet"), timm.__spec__.loader.get_source("timm") is not None)
"""
    ran = run_python(code)
    assert ran.stdout.split() == ["True", "True"], ran.stderr


@pytest.mark.slow
def test_image_classes_of_transformers_can_be_imported():
    ran = run_python(
        "import zoo\nfrom transformers import ViTImageProcessor, ViTModel\nprint(ViTImageProcessor().backend)"
    )
    assert ran.stdout.split() == ["torchvision"], ran.stderr


def test_importing_zoo_stays_cheap():
    ran = run_python("import sys, zoo; print('torch' in sys.modules, 'timm' in sys.modules)")
    assert ran.stdout.split() == ["False", "False"]
