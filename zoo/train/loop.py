"""Gradient descent, epoch by epoch, from a state that can be kept and taken up again."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zoo.data.batches import minibatches, on_device
from zoo.data.image_set import ImageSet
from zoo.errors import ZooError
from zoo.model_folder.preprocess import UNIT, Scale, normalise
from zoo.record.fields import MOST, Epoch
from zoo.record.recipe import Recipe
from zoo.train.augment import augment
from zoo.train.pc_penalty import PCRegulariser, later_relus
from zoo.train.processes import batch_norm_over_ranks, check_batch_norm, ranks, sum_gradients, sum_over_ranks

# A mean loss so many times that of guessing is beyond what small batches and high rates do, and recover from.
SPIKE = 10


def divergence(history: Sequence[Epoch], classes: int) -> str | None:
    """Why training is to be stopped after its last epoch; None if it is not.

    The loss is no number or beyond all measure, or it has leapt to more than ten times the ln(classes) of a model that
    guesses, after an epoch that was better than guessing. Deep variants often begin above that, and find their way
    down.

    Args:
        history: one entry per epoch done.
        classes: number of classes.
    """
    if not history:
        return None
    loss, epoch, guessing = history[-1].loss, len(history), log(max(classes, 2))
    # No record holds a larger one.
    if not loss <= MOST:
        return f"the loss became {loss:.3g} in epoch {epoch}"
    learned = min((earlier.loss for earlier in history[:-1]), default=loss) < guessing
    if learned and loss > SPIKE * guessing:
        return f"the loss leapt to {loss:.3g}, where a model that guesses has {guessing:.3g}, in epoch {epoch}"
    return None


class Fit:
    """A model in training on its device, in place.

    Args:
        model: gives logits for normalised images.
        data: what to learn from.
        recipe: how.
        generator: on the CPU, source of order and augmentation. The same state gives the same order with and without
            PC regularisation.
        scale: mean and standard deviation by which images are normalised.

    Attributes:
        model: what is trained.
        history: one entry per epoch done; its loss is the cross-entropy alone.
        scale: as given.

    Raises:
        ZooError: there is nothing to regularise, or several processes cannot train this together.
    """

    def __init__(
        self, model: nn.Module, data: ImageSet, recipe: Recipe, generator: torch.Generator, scale: Scale = UNIT
    ) -> None:
        self.model = model
        self._ranks = ranks()
        check_batch_norm(model)
        self.history: tuple[Epoch, ...] = ()
        self._device = next(model.parameters()).device
        self._data = on_device(data, self._device)
        self._recipe = recipe
        self._generator = generator
        self.scale = scale
        self._optimiser = sgd(model, recipe)
        self._regulariser = _regulariser(model, recipe, generator)

    @property
    def done(self) -> bool:
        """Whether all epochs of the recipe are done."""
        return len(self.history) == self._recipe.epochs

    @property
    def trouble(self) -> str | None:
        """Why it makes no sense to go on, if it makes none."""
        return divergence(self.history, len(self._data.classes))

    def epoch(self, on_step: Callable[[], None] = lambda: None) -> None:
        """Go through the training images once more.

        Args:
            on_step: called after each step.
        """
        start, recipe, done = time.perf_counter(), self._recipe, len(self.history)
        batch_size, steps = min(recipe.batch_size, len(self._data)), recipe.steps(len(self._data))
        if batch_size < self._ranks.count:
            raise ZooError(f"expected minibatches of at least an image per process, got {batch_size}; start fewer.")
        order = torch.randperm(len(self._data), generator=self._generator)[: steps * batch_size]
        total = torch.zeros(2, device=self._device)  # loss, number right
        self.model.train()
        rows = self._ranks.rows
        with self._own_noise(), batch_norm_over_ranks(self.model):
            batches = minibatches(self._data, order, batch_size, self._device, self._generator, rows)
            for step, (images, labels) in enumerate(batches):
                for group in self._optimiser.param_groups:
                    group["lr"] = recipe.lr_at(done + (step + 0.5) / steps)
                images = augment(images, recipe, self._generator, batch_size, rows)
                total += self._step(normalise(images, *self.scale), labels, batch_size)
                on_step()
        loss, right = (sum_over_ranks(total) / (steps * batch_size)).tolist()
        seconds = time.perf_counter() - start
        self.history = (*self.history, Epoch(loss, right, steps * batch_size / seconds))

    def state(self) -> dict[str, Tensor]:
        """All that the next epoch follows from, but for the history: copies on the CPU, by name."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            momentum = self._optimiser.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum
        if self._regulariser is not None:
            tensors |= {f"regulariser.{name}": tensor for name, tensor in self._regulariser.state().items()}
        tensors["generator"] = self._generator.get_state()
        return {
            name: tensor.to("cpu", memory_format=torch.contiguous_format, copy=True) for name, tensor in tensors.items()
        }

    def restore(self, state: Mapping[str, Tensor], history: tuple[Epoch, ...]) -> None:
        """Go back, or on, to where a state was taken.

        Args:
            state: as `state` gave it for a model of the same kind.
            history: as it was then.

        Raises:
            KeyError, RuntimeError, ValueError: it is a state of something else.
        """
        self.history = history
        self.model.load_state_dict(_with_prefix(state, "model."))
        for name, parameter in self.model.named_parameters():
            self._optimiser.state[parameter].clear()
            momentum = state.get(f"momentum.{name}")
            if momentum is not None:
                if momentum.shape != parameter.shape:
                    raise ValueError(f"the momentum of {name} has another shape")
                self._optimiser.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(momentum)
        if self._regulariser is not None:
            self._regulariser.restore(_with_prefix(state, "regulariser."), self._device)
        self._generator.set_state(state["generator"])

    @contextmanager
    def _own_noise(self) -> Iterator[None]:
        """What modules such as dropout draw follows from seed, epoch and process, and from no one else's state."""
        what = self._generator.initial_seed(), len(self.history), self._ranks.rank
        seed = int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:8]) // 2
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def _step(self, inputs: Tensor, labels: Tensor, whole: int) -> Tensor:
        """One step of gradient descent; summed cross-entropy and number right of these rows, before the step.

        Of a minibatch of `whole` images these are the rows of this process; gradients are summed over all.
        """
        half = torch.autocast(self._device.type, torch.bfloat16, enabled=self._recipe.precision == "bf16")
        with self._regulariser or nullcontext(), half:
            logits = self.model(inputs)
        loss = cross_entropy(logits.to(torch.promote_types(logits.dtype, torch.float32)), labels)
        share = loss * (len(labels) / whole)
        self._optimiser.zero_grad()
        (share + self._regulariser.penalty() if self._regulariser else share).backward()
        sum_gradients(self.model)
        self._optimiser.step()
        right = (logits.argmax(1) == labels).sum()
        return torch.stack([loss.detach() * len(labels), right])


def fit(
    model: nn.Module,
    data: ImageSet,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    scale: Scale = UNIT,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[Epoch, ...]:
    """Train a model on its device from beginning to end, in place.

    Args:
        model: as of `Fit`, like all up to `scale`.
        data: what to learn from.
        recipe: how.
        generator: source of order and augmentation.
        scale: of the images.
        on_epoch: called after each epoch.
        on_step: called after each step.

    Returns:
        One entry per epoch.

    Raises:
        ZooError: training diverges, or there is nothing to regularise.
    """
    training = Fit(model, data, recipe, generator, scale)
    while not training.done:
        training.epoch(on_step)
        if training.trouble:
            raise ZooError(stopped(training.trouble, recipe))
        on_epoch(training.history[-1])
    return training.history


def stopped(trouble: str, recipe: Recipe) -> str:
    """What is told where training diverges: `Fit.trouble`, and what to do."""
    return f"{trouble} of {recipe.epochs}, so training was stopped; {smaller_rate(recipe)}."


def smaller_rate(recipe: Recipe) -> str:
    """What to do where training diverges."""
    return f"try a smaller --lr than {recipe.lr:g}"


def sgd(model: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD with weight decay on kernels, not on biases and batch norm."""
    # What timm's models name themselves, such as embeddings of positions.
    spared: set[str] = getattr(model, "no_weight_decay", set)()
    kernels = [p for name, p in model.named_parameters() if p.ndim > 1 and name not in spared]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1 or name in spared]
    groups: list[dict[str, Any]] = [{"params": kernels, "weight_decay": recipe.weight_decay}, {"params": others}]
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, fused=True)


def _regulariser(model: nn.Module, recipe: Recipe, generator: torch.Generator) -> PCRegulariser | None:
    if not recipe.pc_regularize:
        return None
    if ranks().count > 1:
        raise ZooError("--pc-regularize needs whole minibatches; train by one process, without torchrun.")
    return PCRegulariser(later_relus(model), recipe.pc_regularize, generator)


def _with_prefix(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
