"""The hidden folder in which a training keeps what it has come to, until its model folder is whole. Needs no torch."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError
from zoo.folder import EPOCHS, writing
from zoo.training_state import Progress, read_progress


@dataclass(frozen=True)
class Workplace:
    """The hidden folder of one training.

    Args:
        out: the model folder that is to come of it.
    """

    out: Path

    @property
    def path(self) -> Path:
        """The folder, which may not be there."""
        return self.out.with_name(f".{self.out.name}.training")

    @property
    def state(self) -> Path:
        """The file that the training goes on from."""
        return self.path / "state.safetensors"

    def snapshot(self, epoch: int) -> Path:
        """The model folder of an epoch."""
        return self.path / EPOCHS / str(epoch)

    def look(self, resume: bool, force: bool) -> Progress | None:
        """Find out before long work whether there is something to go on with.

        Args:
            resume: go on with it.
            force: it is to be thrown away.

        Returns:
            How far it is; None where training begins with the first epoch.

        Raises:
            ZooError: there is something, and it is not said what is to become of it; or it is unusable.
        """
        if not self.state.exists() or (force and not resume):
            return None
        progress = read_progress(self.state)
        if not resume:
            raise ZooError(
                f"a training of {self.out} was interrupted after epoch {len(progress.history)} of "
                f"{progress.recipe.epochs}; go on with --resume, or begin anew with --force."
            )
        return progress

    def clear(self) -> None:
        """Remove it."""
        if self.path.is_dir():
            with writing(self.path):
                shutil.rmtree(self.path)

    def copy_snapshots(self, folder: Path) -> None:
        """Let a model folder have the snapshots too."""
        if (self.path / EPOCHS).is_dir():
            with writing(folder):
                shutil.copytree(self.path / EPOCHS, folder / EPOCHS)
