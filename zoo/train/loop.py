"""The training loop, epoch by epoch, with a state that can be saved and restored."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from math import log

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
from zoo.train.sgd import SGD

# Training does not recover from a mean loss this many times chance level, unlike from smaller spikes.
SPIKE = 10


def divergence(history: Sequence[Epoch], classes: int) -> str | None:
    """Check whether training diverged in its last epoch.

    Training diverged if the loss is NaN, infinite, or huge; or, after an epoch better than chance, if it exceeds 10x
    chance level, ln(classes). Deep variants often start above chance level and recover.

    Args:
        history: one entry per completed epoch.
        classes: number of classes.

    Returns:
        The reason to stop training; None if training can continue.
    """
    if not history:
        return None
    loss, epoch, chance = history[-1].loss, len(history), log(max(classes, 2))
    # The largest loss that a record can hold.
    if not loss <= MOST:
        return f"the loss became {loss:.3g} in epoch {epoch}"
    learned = min((earlier.loss for earlier in history[:-1]), default=loss) < chance
    if learned and loss > SPIKE * chance:
        return f"the loss jumped to {loss:.3g} (chance level is {chance:.3g}) in epoch {epoch}"
    return None


class Fit:
    """A training run of a model, in place and on its device.

    Args:
        model: a model that maps normalised images to logits.
        data: training images.
        recipe: training hyperparameters.
        generator: source of image order and augmentation, on the CPU. PC regularisation does not change the order.
        scale: mean and standard deviation of the normalisation.

    Attributes:
        model: the model.
        history: one entry per completed epoch; its loss is the cross-entropy without penalty.
        scale: mean and standard deviation of the normalisation.

    Raises:
        ZooError: PC regularisation does not apply to the model, or several processes cannot train it together.
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
        """Whether all epochs of the recipe are complete."""
        return len(self.history) >= self._recipe.epochs

    @property
    def trouble(self) -> str | None:
        """The reason to stop training, if it diverged."""
        return divergence(self.history, len(self._data.classes))

    def epoch(self, on_step: Callable[[], None] = lambda: None) -> None:
        """Train for one epoch.

        Args:
            on_step: called after each step.

        Raises:
            ZooError: minibatches have fewer images than there are processes.
        """
        start, recipe, done = time.perf_counter(), self._recipe, len(self.history)
        batch_size, steps = min(recipe.batch_size, len(self._data)), recipe.steps(len(self._data))
        if batch_size < self._ranks.count:
            raise ZooError(
                f"expected minibatches with at least one image per process, got {batch_size} images for "
                f"{self._ranks.count}; start fewer processes."
            )
        order = torch.randperm(len(self._data), generator=self._generator)[: steps * batch_size]
        # Of the loss, and of images that are right.
        total = torch.zeros(2, device=self._device)
        self.model.train()
        rows = self._ranks.rows
        with self._seeded(), batch_norm_over_ranks(self.model):
            batches = minibatches(self._data, order, batch_size, self._device, self._generator, rows)
            for step, (images, labels) in enumerate(batches):
                self._optimiser.lr = recipe.lr_at(done + (step + 0.5) / steps)
                images = augment(images, recipe, self._generator, batch_size, rows)
                total += self._step(normalise(images, *self.scale), labels, batch_size)
                on_step()
        loss, right = (sum_over_ranks(total) / (steps * batch_size)).tolist()
        seconds = time.perf_counter() - start
        self.history = (*self.history, Epoch(loss, right, steps * batch_size / seconds))

    def state(self) -> dict[str, Tensor]:
        """Copy everything that determines the next epoch, except for the history: tensors on the CPU, by name."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            momentum = self._optimiser.momenta.get(parameter)
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum
        if self._regulariser is not None:
            tensors |= {f"regulariser.{name}": tensor for name, tensor in self._regulariser.state().items()}
        tensors["generator"] = self._generator.get_state()
        return {
            name: tensor.to("cpu", memory_format=torch.contiguous_format, copy=True) for name, tensor in tensors.items()
        }

    def restore(self, state: Mapping[str, Tensor], history: tuple[Epoch, ...]) -> None:
        """Restore a state.

        Args:
            state: tensors from `state`, for a model of the same architecture.
            history: history at that time.

        Raises:
            KeyError, RuntimeError, ValueError: the state belongs to another model.
        """
        self.history = history
        self.model.load_state_dict(_with_prefix(state, "model."))
        self._optimiser.momenta.clear()
        for name, parameter in self.model.named_parameters():
            momentum = state.get(f"momentum.{name}")
            if momentum is not None:
                if momentum.shape != parameter.shape:
                    raise ValueError(f"the momentum of {name} has another shape")
                self._optimiser.momenta[parameter] = torch.empty_like(parameter).copy_(momentum)
        if self._regulariser is not None:
            self._regulariser.restore(_with_prefix(state, "regulariser."), self._device)
        self._generator.set_state(state["generator"])

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Seed random modules such as dropout by seed, epoch, and process; restore the global state afterwards."""
        key = self._generator.initial_seed(), len(self.history), self._ranks.rank
        seed = int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:8]) // 2
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def _step(self, inputs: Tensor, labels: Tensor, whole: int) -> Tensor:
        """Take one step of gradient descent.

        Args:
            inputs: normalised images of this process.
            labels: their labels.
            whole: number of images in the minibatch, over all processes.

        Returns:
            Summed cross-entropy and number of correct predictions before the step, for the images of this process.
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
    """Train a model for all epochs, in place and on its device.

    Args:
        model: a model that maps normalised images to logits.
        data: training images.
        recipe: training hyperparameters.
        generator: source of image order and augmentation, on the CPU.
        scale: mean and standard deviation of the normalisation.
        on_epoch: called after each epoch.
        on_step: called after each step.

    Returns:
        One entry per epoch.

    Raises:
        ZooError: training diverges, or PC regularisation does not apply to the model.
    """
    training = Fit(model, data, recipe, generator, scale)
    while not training.done:
        training.epoch(on_step)
        if training.trouble:
            raise ZooError(divergence_message(training.trouble, recipe))
        on_epoch(training.history[-1])
    return training.history


def divergence_message(trouble: str, recipe: Recipe) -> str:
    """Error message for a run that diverged.

    Args:
        trouble: the reason, from `Fit.trouble`.
        recipe: hyperparameters of the run.
    """
    return f"{trouble} of {recipe.epochs}, so training was stopped; {lr_advice(recipe)}."


def lr_advice(recipe: Recipe) -> str:
    """Advice for a run that diverged."""
    return f"try a smaller --lr than {recipe.lr:g}"


def sgd(model: nn.Module, recipe: Recipe) -> SGD:
    """SGD with weight decay on kernels only, not on biases and batch norm."""
    # Parameters that timm models exclude from weight decay, such as position embeddings.
    excluded: set[str] = getattr(model, "no_weight_decay", set)()
    kernels = [p for name, p in model.named_parameters() if p.ndim > 1 and name not in excluded]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1 or name in excluded]
    return SGD(kernels, others, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay)


def _regulariser(model: nn.Module, recipe: Recipe, generator: torch.Generator) -> PCRegulariser | None:
    if not recipe.pc_regularize:
        return None
    if ranks().count > 1:
        raise ZooError("--pc-regularize needs whole minibatches; train with one process, without torchrun.")
    return PCRegulariser(later_relus(model), recipe.pc_regularize, generator)


def _with_prefix(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
