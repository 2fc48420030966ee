"""What a question is about: models and images, looked up at once, and loaded only if no answer is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.cache.answers import Option, question
from cli.inputs.prepare import Prepared, look_up, prepare
from zoo.data.sources import identity

if TYPE_CHECKING:
    from zoo.hub.find import FoundModel


@dataclass(frozen=True)
class Request:
    """Models, and the images that they are to be shown.

    Args:
        found: what is known of the models.
        dataset: name of the data set.
        images: what decides the images, as `zoo.data.sources.identity` gives it.
        shown: split, max_examples, batch_size, seed and device, as in the commands.
        load: gives models and images that fit together.
    """

    found: tuple["FoundModel", ...]
    dataset: str
    images: str
    shown: Mapping[str, Any]
    load: Callable[[], Prepared]

    @cached_property
    def prepared(self) -> Prepared:
        """Models and images that fit together; the images are loaded once."""
        return self.load()

    def question(self, command: str, asked: Mapping[str, Option]) -> str:
        """Name under which the answer is kept.

        Args:
            command: what is asked.
            asked: what decides the answer beside models and images.
        """
        return question(command, self.found, self.images, {**self.shown, **asked})

    def only(self, *numbers: int) -> "Request":
        """The same about some of the models."""
        found = tuple(self.found[number] for number in numbers)
        return Request(found, self.dataset, self.images, self.shown, lambda: self.prepared.only(*numbers))


def request(refs: Sequence[str], dataset: str | None, shown: Mapping[str, Any]) -> Request:
    """Look models and the data set up, without loading either.

    Args:
        refs: of the models.
        dataset: name of the data set; the first model's own if None.
        shown: split, max_examples, batch_size, seed and device, as in the commands.

    Raises:
        ZooError: a model or the data set is unusable.
    """
    found, name = look_up(refs, dataset)
    images = identity(name, shown["split"])
    return Request(found, name, images, shown, lambda: prepare(found, dataset=name, **shown))
