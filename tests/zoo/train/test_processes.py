"""Two processes of torchrun that train one model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from zoo.record.training import TrainingRecord

BIN = Path(sys.executable).parent
TRAIN = ("train", "--depth", "8", "--width", "0.5", "--subset", "1/2")

# Minibatches of 7, shared as 4 rows and 3. In double precision, whose rounding no training makes large.
STEPS = """
import json
import sys
from pathlib import Path
import torch
from torch import distributed
from zoo.data.image_set import ImageSet
from zoo.family.cifar import Variant
from zoo.train.loop import Fit
from zoo.record.recipe import Recipe
from zoo.family.cifar_resnet import CifarResNet, initialise

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
generator = torch.Generator().manual_seed(3)
model = CifarResNet(Variant(8, 0.25, 3))
initialise(model, generator)
images = torch.randint(0, 256, (21, 3, 8, 8), dtype=torch.uint8, generator=generator)
data = ImageSet("noise", "train", images, torch.arange(21) % 10, torch.arange(21), tuple("abcdefghij"))
if sys.argv[1] == "2":
    distributed.init_process_group("gloo")
training = Fit(model, data, Recipe(epochs=2, batch_size=7, lr=0.01, shift=1), generator)
training.epoch()
training.epoch()
norms = [tensor.double().norm().item() for tensor in model.state_dict().values()]
rank = distributed.get_rank() if sys.argv[1] == "2" else 0
Path(f"{sys.argv[1]}-{rank}.json").write_text(json.dumps([norms, [epoch.loss for epoch in training.history]]))
if sys.argv[1] == "2":
    # Together, because gloo may abort a process whose peer has left.
    distributed.barrier()
    distributed.destroy_process_group()
"""


def launched(*arguments, processes=2):
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"] if processes == 2 else []
    return subprocess.run([sys.executable, *launch, *map(str, arguments)], capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_several_processes_take_the_same_steps_as_one(here):
    Path("steps.py").write_text(STEPS)
    one, two = launched("steps.py", 1, processes=1), launched("steps.py", 2)
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    norms, losses = json.loads(Path("1-0.json").read_text())
    for rank in range(2):
        norms_of_rank, losses_of_rank = json.loads(Path(f"2-{rank}.json").read_text())
        assert losses_of_rank == pytest.approx(losses, rel=1e-9)
        assert norms_of_rank == pytest.approx(norms, rel=1e-9)


@pytest.mark.slow
def test_torchrun_gives_one_model_with_the_loss_curve_of_one_process(here):
    # At a small rate, at which the rounding of single precision hardly grows: 5e-5 of the loss, 2e-2 at the recipe's.
    options = ("--epochs", 3, "--save-epochs", 1, "--lr", 0.01)
    one = launched(BIN / "zoo", *TRAIN, *options, "--out", "one", processes=1)
    two = launched("--no-python", BIN / "zoo", *TRAIN, *options, "--out", "two")
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert two.stdout == "two\n"
    records = [TrainingRecord.from_json(Path(out, "training.json").read_text()) for out in ("one", "two")]
    losses = [[epoch.loss for epoch in record.history] for record in records]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert records[1].accuracy == pytest.approx(records[0].accuracy, abs=0.01)
    assert load_file("two/epochs/1/model.safetensors").keys() == load_file("one/model.safetensors").keys()
    assert sorted(path.name for path in here.iterdir()) == ["one", "two"]


@pytest.mark.slow
def test_processes_with_different_runs_are_refused(tmp_path):
    script = tmp_path / "differ.py"
    script.write_text(
        "from torch import distributed\n"
        "from zoo.train.processes import check_together\n"
        "distributed.init_process_group('gloo')\n"
        "check_together('the same')\n"
        "check_together(f'epoch {distributed.get_rank()}')\n"
    )
    done = launched(script)
    assert done.returncode != 0
    assert "expected the same run, at the same epoch, in every process" in done.stderr


@pytest.mark.slow
def test_pc_regularisation_is_refused_with_several_processes(here):
    done = launched("--no-python", BIN / "zoo", *TRAIN, "--epochs", 1, "--pc-regularize", 0.1)
    assert done.returncode == 1
    assert "--pc-regularize needs whole minibatches" in done.stderr
    assert not Path("models").exists()
