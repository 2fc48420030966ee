"""Two real processes, as torchrun starts them, that share one comparison."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from compare.engine.plan import Plan
from compare.engine.stream import Stream
from compare.errors import CompareError
from compare.result.comparison import Comparison
from compare.result.matrix import ModelMatrix

# Batches of different sizes, one empty, the last too short for CKA; more for one process than for the other.
SCRIPT = """
import sys
from pathlib import Path
import torch
from torch import distributed, nn
from compare.engine.many import compare_many
from compare.engine.pair import compare_models

def net(width, seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36 * width, 5))

torch.manual_seed(9)
sizes = 20, 0, 20, 20, 20, 7, 20, 3
order = torch.randperm(sum(sizes)).split(sizes)
images, labels = torch.randn(sum(sizes), 1, 8, 8), torch.randint(0, 5, (sum(sizes),))
batches = [(images[part], labels[part], part) for part in order]
models = net(3, 1), net(6, 2)
if sys.argv[1] == "2":
    distributed.init_process_group("gloo")
pair = compare_models(*models, batches, passes=2, measures=("knn", "procrustes"))
matrix = compare_many(models, batches)
rank = distributed.get_rank() if sys.argv[1] == "2" else 0
Path(f"{sys.argv[1]}-{rank}.jsonl").write_text(f"{pair.to_json()}\\n{matrix.to_json()}")
if sys.argv[1] == "2":
    # Together, because gloo may abort a process whose peer has left.
    distributed.barrier()
    distributed.destroy_process_group()
"""


def results(processes):
    """What each process finds."""
    Path("share.py").write_text(SCRIPT)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"] if processes == 2 else []
    done = subprocess.run(
        [sys.executable, *launch, "share.py", str(processes)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for rank in range(processes):
        pair, matrix = Path(f"{processes}-{rank}.jsonl").read_text().splitlines()
        yield Comparison.from_json(pair), ModelMatrix.from_json(matrix)


def close(one, other):
    torch.testing.assert_close(torch.tensor(one), torch.tensor(other), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(here):
    ((one, matrix_one),) = results(1)
    for two, matrix_two in results(2):
        for part in ("ab", "aa", "bb", "standard_error_ab"):
            close(getattr(one.cka, part), getattr(two.cka, part))
        close(one.cka.without_dominant.ab, two.cka.without_dominant.ab)
        assert one.cka.without_dominant.examples == two.cka.without_dominant.examples
        close(one.models.a.pc1_fraction, two.models.a.pc1_fraction)
        for measure, same in zip(one.measures, two.measures, strict=True):
            close(measure.ab, same.ab)
        assert one.disagreement == two.disagreement
        assert (one.dataset, one.settings, one.notes) == (two.dataset, two.settings, two.notes)
        close(matrix_one.pairs[0].cka, matrix_two.pairs[0].cka)


FAILURE = """
import sys
import torch
from torch import distributed, nn
from compare.errors import CompareError
from compare.engine.many import compare_many

class Net(nn.Linear):
    runs = 0

    def forward(self, x):
        self.runs += 1
        if rank == 1 and self.runs == 3:
            raise OSError("the disk is gone\\nat last")
        return super().forward(x)

rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
batches = [(torch.randn(20, 6), torch.arange(20) % 5) for _ in range(6)]
for broken in (True, False):
    try:
        compare_many([Net(6, 5) if broken else nn.Linear(6, 5), nn.Linear(6, 5)], batches)
        print("compared")
    except (CompareError, OSError) as error:
        print(error)
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_a_process_that_fails_lets_no_other_wait(tmp_path):
    both = [
        subprocess.Popen(
            [sys.executable, "-c", FAILURE, str(rank), tmp_path / "meeting"], stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    whole, failing = (process.communicate(timeout=120)[0] for process in both)
    assert failing == "the disk is gone\nat last\ncompared\n"
    assert whole == (
        "expected a result from each of 2 processes, but rank 1 failed (OSError: the disk is gone); fix the error and "
        "run all processes again.\ncompared\n"
    )


def test_options_that_need_one_process_are_refused_with_several():
    with pytest.raises(CompareError, match="a single process"):
        Stream([], Plan(components=1), None, rank=0, ranks=2)
