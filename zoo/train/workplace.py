"""The hidden folder in which a training keeps what it has come to, until its model folder is whole. Needs no torch."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.model_folder.folder import EPOCHS
from zoo.train.state import Progress, read_progress


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

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes of this machine from training the same model meanwhile.

        Raises:
            ZooError: one does.
        """
        # Windows has none.
        import fcntl

        made = [folder for folder in self.out.absolute().parents if not folder.exists()]
        path = self.path.with_name(f"{self.path.name}.lock")
        with writing(self.out):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("ab")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ZooError(f"another process trains {self.out}; wait for it, or choose another --out.") from None
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
                for folder in made:
                    with suppress(OSError):
                        folder.rmdir()

    def check_snapshots(self, epochs: Sequence[int], done: int) -> None:
        """Refuse to go on where snapshots are asked for that it is too late to take.

        Raises:
            ZooError: one of an epoch that is done was not kept.
        """
        for epoch in epochs:
            if epoch <= done and not self.snapshot(epoch).is_dir():
                raise ZooError(
                    f"epoch {epoch} of --save-epochs is done already, and was not kept; leave it out, or begin anew "
                    "with --force."
                )

    def clear(self) -> None:
        """Remove it."""
        if self.path.is_dir():
            with writing(self.path):
                shutil.rmtree(self.path)

    def copy_snapshots(self, folder: Path) -> None:
        """Let a model folder have the snapshots too."""
        if (self.path / EPOCHS).is_dir():
            with writing(folder):
                # What a snapshot that was killed leaves is hidden.
                shutil.copytree(self.path / EPOCHS, folder / EPOCHS, ignore=shutil.ignore_patterns(".*"))
