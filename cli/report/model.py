"""One model in the terminal: facts, training curves, and accuracy by class."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from cards.model_card.model_card import training_command
from cards.tables.table import Table
from cards.words.legible import counted, number
from cli.inputs.known_model import KnownModel
from cli.report.table import rich_table
from cli.terminal.curve import Curve
from cli.terminal.output import plain, short
from compare.stats.interval import wilson_interval
from zoo.family.cifar import Variant
from zoo.family.timm_spec import Spec
from zoo.record.training import TrainingRecord


class ModelReport:
    """The terminal report of a model that was not run.

    Args:
        model: the model's configuration, files, and training record.
    """

    def __init__(self, model: KnownModel) -> None:
        self._model = model

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield rich_table(_facts(self._model))
        # Hash and command are never wrapped, so that they can be copied.
        if self._model.sha256:
            yield "\nsha256 of the weights:"
            yield _unbroken(self._model.sha256)
        record = self._model.record
        if record is None:
            return
        yield ""
        # A snapshot has fewer epochs than its recipe.
        epochs = counted(len(record.history), "epoch")
        yield Curve(f"Training loss over {epochs}, nats", [e.loss for e in record.history], ".3g")
        yield ""
        yield Curve("Training accuracy, measured during each epoch", [e.accuracy for e in record.history], ".1%")
        yield ""
        yield rich_table(_classes(record))
        yield "\nCommand to reproduce it:"
        yield _unbroken(training_command(record))


def _unbroken(text: str) -> Text:
    line = plain(text)
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _facts(model: KnownModel) -> Table:
    return Table(model.summary.ref, ("", ""), tuple(_rows(model)), 2)


def _rows(model: KnownModel) -> Iterator[tuple[str, str]]:
    summary, config, record = model.summary, model.config, model.record
    images = config.pretrained_cfg
    yield "architecture", config.architecture
    if config.spec:
        yield from _spec_rows(config.spec, images.input_size)
    for name, value in config.model_args.items() if not config.variant else ():
        yield f"argument {name}", str(value)
    yield "input", f"images of {' x '.join(map(str, images.input_size))} (channels, height, width)"
    names = config.label_names
    classes = str(config.num_classes) if config.num_classes else "none, since it is an encoder"
    yield "classes", f"{classes}{': ' + ', '.join(map(short, names[:10])) if names else ''}{_more(names)}"
    if record:
        yield from _training_rows(record)
    elif summary.accuracy is not None:
        yield "test accuracy", f"{summary.accuracy:.2%} on {summary.dataset}"
    if summary.revision:
        yield "commit", summary.revision
    yield "updated", summary.updated or "unknown"
    for note in config.notes:
        yield "note", note
    if model.sha256 is None:
        yield "weights", "missing"
    for name, size_in_bytes in model.files.items():
        yield f"file {name}", f"{size_in_bytes:,} bytes"


def _spec_rows(spec: Spec, size: tuple[int, int, int]) -> Iterator[tuple[str, str]]:
    if spec.depth is not None and spec.width is not None:
        family = "" if isinstance(spec, Variant) else "ImageNet family, "
        yield "variant", f"{family}depth {spec.depth}, width {spec.width:g}, {spec.representations} representations"
    if isinstance(spec, Variant) and spec.stage_blocks:
        yield "residual blocks", f"{', '.join(map(str, spec.blocks))} in the three stages"
    yield "parameters", f"{spec.parameters:,}"
    multiply_adds = spec.multiply_adds(size[1], size[2])
    if multiply_adds is not None:
        yield "multiply-adds", f"{multiply_adds:,} per image"


def _training_rows(record: TrainingRecord) -> Iterator[tuple[str, str]]:
    recipe, data, pruned = record.recipe, record.data, record.pruned
    low, high = wilson_interval(record.test_right, record.test_images)
    yield (
        "test accuracy",
        f"{record.accuracy:.2%} on {counted(record.test_images, 'image')} (95 % interval {low:.1%} to {high:.1%})",
    )
    if pruned:
        count = counted(len(pruned.removed), "block")
        yield "pruned", f"{count} removed from {pruned.original} ({pruned.before.accuracy:.2%})"
    part = "all" if data.subset == "1" else data.subset
    yield "trained on", f"{data.train_images:,} images of {data.name} ({part} of it), seed {record.seed}"
    warm_up = f" after a warm-up over {recipe.warm_up:.0%} of them" if recipe.warm_up else ""
    penalty = f", PC regularisation {recipe.pc_regularize:g}" if recipe.pc_regularize else ""
    yield (
        "recipe",
        f"{recipe.length}, batch size {recipe.batch_size}, learning rate {recipe.lr:g}{warm_up}, "
        f"weight decay {recipe.weight_decay:g}, momentum {recipe.momentum:g}{penalty}",
    )
    yield "training time", f"{record.seconds:.0f} s on {record.device}"
    yield "versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())


def _classes(record: TrainingRecord) -> Table:
    rows = tuple(
        (short(row.name), str(row.examples), str(row.right), number(row.accuracy, ".1%")) for row in record.test
    )
    return Table("Accuracy by class on the test images", ("class", "images", "right", "accuracy"), rows)


def _more(names: tuple[str, ...] | None) -> str:
    return f", and {len(names) - 10} more" if names and len(names) > 10 else ""
