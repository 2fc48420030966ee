"""Compare neural networks: CKA, block structure, and where their predictions differ.

The functions take PyTorch modules and minibatches of images, and return results that convert to and from JSON.
This package reads no files and uses no network.

`import compare` is cheap: each name loads its module, and with it torch or numpy, when it is first used.

Example:
    >>> import compare
    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    >>> other = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    >>> batches = [(torch.randn(32, 8), torch.randint(3, (32,))) for _ in range(2)]
    >>> result = compare.compare_models(model, other, batches)
    >>> result.models.a.layers
    ('0', '1', '2')
    >>> len(result.cka.ab), result.disagreement.agreement <= 1
    (3, True)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compare.answers.disagreement import class_disagreement
    from compare.engine.many import compare_many
    from compare.engine.pair import compare_models
    from compare.engine.single import inspect_model
    from compare.errors import CompareError
    from compare.groups.groups import compare_groups
    from compare.result.base import Estimate
    from compare.result.comparison import Comparison
    from compare.result.disagreement import ClassRow, Disagreement
    from compare.result.groups import GroupComparison
    from compare.result.inspection import Inspection
    from compare.result.matrix import ModelMatrix, PairResult
    from compare.result.models import DatasetResult, ModelResult
    from compare.result.spans import BlockSpan
    from compare.result.study import Claim, Reproduction
    from compare.similarity.cka import MinibatchCKA
    from compare.structure.spans import find_block_structure

__all__ = [
    "BlockSpan",
    "Claim",
    "ClassRow",
    "CompareError",
    "Comparison",
    "DatasetResult",
    "Disagreement",
    "Estimate",
    "GroupComparison",
    "Inspection",
    "MinibatchCKA",
    "ModelMatrix",
    "ModelResult",
    "PairResult",
    "Reproduction",
    "class_disagreement",
    "compare_groups",
    "compare_many",
    "compare_models",
    "find_block_structure",
    "inspect_model",
]

_MODULES = {
    "BlockSpan": "compare.result.spans",
    "Claim": "compare.result.study",
    "ClassRow": "compare.result.disagreement",
    "CompareError": "compare.errors",
    "Comparison": "compare.result.comparison",
    "DatasetResult": "compare.result.models",
    "Disagreement": "compare.result.disagreement",
    "Estimate": "compare.result.base",
    "GroupComparison": "compare.result.groups",
    "Inspection": "compare.result.inspection",
    "MinibatchCKA": "compare.similarity.cka",
    "ModelMatrix": "compare.result.matrix",
    "ModelResult": "compare.result.models",
    "PairResult": "compare.result.matrix",
    "Reproduction": "compare.result.study",
    "class_disagreement": "compare.answers.disagreement",
    "compare_groups": "compare.groups.groups",
    "compare_many": "compare.engine.many",
    "compare_models": "compare.engine.pair",
    "find_block_structure": "compare.structure.spans",
    "inspect_model": "compare.engine.single",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
