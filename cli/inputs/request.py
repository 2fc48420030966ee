"""A request: models and images that are looked up at once, but loaded only if there is no cached result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from cli.cache.results import cache_key
from cli.inputs.prepare import Prepared, look_up, prepare
from cli.terminal.options import ImageOptions
from zoo.data.sources import identity

if TYPE_CHECKING:
    from zoo.hub.find import FoundModel


@dataclass(frozen=True)
class Request:
    """Models and the images to run them on.

    Args:
        models: the models, not loaded yet.
        dataset: name of the dataset.
        identity: identifies the images, see `zoo.data.sources.identity`.
        images: how the images are used.
        load: loads the images and checks that the models fit them.
    """

    models: tuple["FoundModel", ...]
    dataset: str
    identity: str
    images: ImageOptions
    load: Callable[[], Prepared]

    @cached_property
    def prepared(self) -> Prepared:
        """The models and loaded images."""
        return self.load()

    def cache_key(self, command: str, *options: object) -> str:
        """The key of the result in the cache.

        Args:
            command: name of the command.
            options: everything else that the result depends on; dataclasses or JSON values.
        """
        return cache_key(command, self.models, self.identity, self.images, *options)

    def only(self, *numbers: int) -> "Request":
        """The same request for some of the models."""
        models = tuple(self.models[number] for number in numbers)
        return Request(models, self.dataset, self.identity, self.images, lambda: self.prepared.only(*numbers))


def request(
    refs: Sequence[str],
    dataset: str | None,
    images: ImageOptions,
    layers: str | None = None,
    own_code: bool = False,
    jobs: int | None = None,
) -> Request:
    """Look up models and dataset without loading them.

    Args:
        refs: references to the models.
        dataset: name of the dataset; None for the first dataset that a model was trained on.
        images: how the images are used.
        layers: layers that are compared, which need memory; None for predictions only.
        own_code: whether references may run the user's own code, see `look_up`.
        jobs: number of processes that run one model each at the same time; None if this process runs all models.

    Raises:
        ZooError: a model or the dataset is unusable.
    """
    models, name = look_up(refs, dataset, own_code)
    load = partial(prepare, models, name, images, layers, jobs)
    return Request(models, name, identity(name, images.split), images, load)
