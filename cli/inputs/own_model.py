"""Models that a function of the user's own returns: `py:FILE.py:FUNCTION`, on the command line alone.

This runs the code of the file. References from elsewhere (sites, requests to a server, the Hub) never come here,
because `cli.inputs.prepare.look_up` refuses them unless its caller allows the user's own code.
"""

import hashlib
import pickle
import sys
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cli.terminal.output import say
from zoo.base.files import check_utf8
from zoo.errors import UsageError, ZooError, did_you_mean, one_line
from zoo.hub.find import FoundModel
from zoo.model_folder.config import ModelConfig, Preprocessing

if TYPE_CHECKING:
    from torch import nn

PREFIX = "py:"


@dataclass(frozen=True, kw_only=True)
class OwnModel(FoundModel):
    """A model that a function of the user's own has returned.

    Args:
        module: the model.
        source: sha256 of the file with the function.
    """

    module: "nn.Module"
    source: str

    @property
    def kind(self) -> str:
        """Origin of the model."""
        return "py"

    @property
    def argument(self) -> str:
        """The model reference for another command."""
        return self.ref

    @cached_property
    def sha256(self) -> str:
        """sha256 of the state of the model, its preprocessing, and the source file."""
        import torch

        digest = hashlib.sha256(msgspec.json.encode([self.source, self.config.pretrained_cfg]))
        for name, values in self.module.state_dict().items():
            if not isinstance(values, torch.Tensor):
                # What `get_extra_state` of a module returns, which PyTorch wants to be picklable.
                digest.update(f"{name} ".encode() + pickle.dumps(values))
                continue
            digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
            digest.update(values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def load(self, device: str, cropped: bool = False) -> "nn.Module":
        """A copy of the model in eval mode, which preprocesses its inputs by a forward pre-hook.

        Args:
            device: a torch device.
            cropped: whether images are at the model's size already.
        """
        from zoo.model_folder.preprocess import takes_images

        return takes_images(deepcopy(self.module).to(device).eval(), self.config.pretrained_cfg, cropped)


def own_model(ref: str) -> OwnModel:
    """Run a function of the user's own, which returns a module.

    The attribute `pretrained_cfg` of the module, which timm's models have, says how images are preprocessed.

    Args:
        ref: `py:FILE.py:FUNCTION`. The function is called without arguments.

    Raises:
        ZooError: the file or function is missing or fails, or it returns something else.
    """
    from torch import nn

    check_utf8(ref)
    path, function = _parts(ref)
    say(f"running {function} of {path}, which is code of your own.")
    module = _call(path, function)
    if not isinstance(module, nn.Module):
        raise ZooError(f"expected {function} of {path} to return a torch.nn.Module, got {type(module).__name__}.")
    architecture = type(module).__name__
    config = ModelConfig(architecture, 0, None, {}, _preprocessing(ref, getattr(module, "pretrained_cfg", None)))
    source = hashlib.sha256(path.read_bytes()).hexdigest()
    # There is no folder: no file can be found below that of the function.
    return OwnModel(ref, function, path, config, module=module, source=source)


def _parts(ref: str) -> tuple[Path, str]:
    file, _, function = ref.removeprefix(PREFIX).rpartition(":")
    if not file or not function.isidentifier():
        raise UsageError(f"expected py:FILE.py:FUNCTION, got {ref[:200]!r}.")
    path = Path(file)
    if not path.is_file():
        raise ZooError(f"expected a Python file, but there is no {file}; write py:FILE.py:FUNCTION.")
    return path, function


def _call(path: Path, function: str) -> Any:
    """Run a file as a module, with its folder first among those that it imports from, and call a function of it."""
    spec = spec_from_file_location(f"own_model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ZooError(f"expected a Python file, got {path}; write py:FILE.py:FUNCTION.")
    code = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        sys.modules[spec.name] = code
        spec.loader.exec_module(code)
        if not callable(getattr(code, function, None)):
            near = did_you_mean(function, [name for name, value in vars(code).items() if callable(value)])
            raise ZooError(f"expected a function {function} in {path}, but there is none{near or '.'}")
        return getattr(code, function)()
    except ZooError:
        raise
    except (Exception, SystemExit) as error:
        # The user's code can raise anything.
        raise ZooError(
            f"{function} of {path} failed ({type(error).__name__}: {one_line(Exception(error))})."
        ) from error
    finally:
        # The user's code may have changed the list.
        with suppress(ValueError):
            sys.path.remove(str(path.resolve().parent))


def _preprocessing(ref: str, values: Any) -> Preprocessing:
    try:
        return msgspec.convert({} if values is None else dict(values), Preprocessing)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise ZooError(
            f"expected {ref} to return a module with an attribute pretrained_cfg such as "
            "{'input_size': (3, 32, 32), 'mean': (0.5, 0.5, 0.5), 'std': (0.25, 0.25, 0.25)}, as timm's models have "
            f"({one_line(error)})."
        ) from error
