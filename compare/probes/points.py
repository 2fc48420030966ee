"""Places of a model that a probe reads: before and after each residual addition."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from compare.errors import CompareError
from compare.model.frozen import Hook, first_tensor, hooked, logits_of, unwrapped
from compare.model.select_layers import select

# Takes the number of a site and its features, shape (n, d).
Take = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class Site:
    """One place of a model.

    Args:
        layer: name of a module.
        kind: `pre`, what goes into the module, of several inputs the first: of an addition the residual branch; or
            `post`, what comes out.
    """

    layer: str
    kind: str


def probe_sites(model: nn.Module) -> tuple[Site, ...]:
    """Before and after each residual addition, in the order in which the modules are defined.

    Additions are modules of a class called `Add`, whose first input is the residual branch. Most other architectures
    add inside of a block, where nothing can be seen: of those, the output of each repeated block is taken, as `post`.

    Args:
        model: any module.

    Raises:
        CompareError: the model has neither additions nor blocks.
    """
    model = unwrapped(model)
    names = {name: type(module).__name__ for name, module in model.named_modules()}
    additions = [name for name, kind in names.items() if kind == "Add"]
    if additions:
        return tuple(Site(name, kind) for name in additions for kind in ("pre", "post"))
    blocks = select(model, "blocks")
    return tuple(Site(name, "post") for name in names if name in blocks)


class SiteReader:
    """Runs a model and hands on what is at chosen sites, at once, before an in-place operation can change it.

    Args:
        model: any module.
        sites: where to look. Of a module that is called several times the first call counts.

    Raises:
        CompareError: no site is given, or one that the model does not have.
    """

    def __init__(self, model: nn.Module, sites: Sequence[Site]) -> None:
        self._model = unwrapped(model)
        self._modules = dict(self._model.named_modules())
        self._sites = sites
        self._left: set[Site] = set()
        self._examples = 0
        self._take: Take = lambda number, features: None
        unknown = [site for site in sites if site.layer not in self._modules or site.kind not in ("pre", "post")]
        if unknown or not sites:
            raise CompareError(
                f"expected sites that are pre or post a module of {type(model).__name__}, got "
                f"{unknown[0] if unknown else 'none'}; probe_sites(model) gives those of its additions."
            )

    def hooks(self) -> Iterator[tuple[nn.Module, Hook]]:
        """What must be hooked while the reader runs."""
        for number, site in enumerate(self._sites):
            yield self._modules[site.layer], partial(self._record, number)

    def run(self, inputs: Tensor, take: Take) -> Tensor:
        """Run the model on one minibatch.

        Args:
            inputs: whatever one tensor the model takes, shape (n, ...).
            take: called once per site, in the order in which they are computed.

        Returns:
            Logits, shape (n, classes).

        Raises:
            CompareError: the model gives no logits, or a site is not reached or has no row per example.
        """
        self._left, self._examples, self._take = set(self._sites), len(inputs), take
        logits = logits_of(self._model, inputs)
        if self._left:
            raise CompareError(
                f"expected a model to run every site, got none of {next(iter(self._left))}; choose other sites."
            )
        return logits

    def _record(self, number: int, module: nn.Module, inputs: Any, output: Any) -> None:
        site = self._sites[number]
        if site not in self._left:
            return
        self._left.remove(site)
        tensor = first_tensor(inputs if site.kind == "pre" else output)
        if tensor is None or not tensor.is_floating_point() or tensor.shape[:1] != (self._examples,):
            got = "none" if tensor is None else f"{tensor.dtype} of shape {tuple(tensor.shape)}"
            raise CompareError(
                f"expected real numbers with {self._examples} rows, one per example, {site.kind} {site.layer}, got "
                f"{got}; choose other sites."
            )
        self._take(number, tensor.detach().reshape(self._examples, -1).float())


@contextmanager
def reading(model: nn.Module, sites: Sequence[Site]) -> Iterator[SiteReader]:
    """A reader of these sites; the model is in eval mode meanwhile, and as it was afterwards, whatever happens."""
    reader = SiteReader(model, sites)
    with hooked(unwrapped(model), reader.hooks()):
        yield reader
