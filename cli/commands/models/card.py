"""`zoo card`: write the model card and pictures of a folder."""

from pathlib import Path
from typing import Annotated

from cli.inputs.images import load
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say_written, show_path
from cli.train.card_files import card_files, look_inside
from zoo.base.files import read_file, replace_file, writing
from zoo.errors import ZooError
from zoo.model_folder.card_marker import MARKER, own_text
from zoo.model_folder.folder import CARD, MAX_TEXT, read_record


@expand_options
def card(
    folder: Annotated[Path, options.model_argument("FOLDER", "Folder of a trained model.")],
    device: options.Device = "auto",
    *,
    verbosity: options.Verbosity,
) -> None:
    """Write the model card and pictures of a model folder again.

    Text below the card's marker line is kept.

    Example: zoo card models/resnet14-w1-digits-s0
    """
    from zoo.base.device import pick_device
    from zoo.hub.find import find_model

    old_card = _old_card(folder / CARD)
    record = read_record(folder)
    model = find_model(str(folder)).load(pick_device(device))
    with interruptible("nothing was written"):
        inside = look_inside(model, record, load(record.data.name, "test"))
        files = card_files(record, inside, old_card)
    with writing(folder, "a folder that can be written to"):
        for name, data in files.items():
            replace_file(folder / name, data)
    say_written(*(folder / name for name in files if name != CARD))
    show_path(folder / CARD)


def _old_card(path: Path) -> bytes:
    """The existing card, if there is one.

    Raises:
        ZooError: it has no marker line, so its text would be lost.
    """
    if not path.is_file():
        return b""
    card = read_file(path, MAX_TEXT)
    if own_text(card) is None:
        raise ZooError(
            f"{path} has no line {MARKER!r}, so its text would be overwritten; put that line above the text to keep, "
            "or move the file."
        )
    return card
