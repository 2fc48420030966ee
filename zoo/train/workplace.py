"""The hidden folder that holds the state and snapshots of a run until its model folder is complete. Needs no torch."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.model_folder.folder import EPOCHS
from zoo.train.state import Progress, read_progress

# Ends of the names of the hidden folder and of its lock.
SUFFIX, LOCK = ".training", ".lock"
# Name of the resumable state in the hidden folder.
STATE = "state.safetensors"


@dataclass(frozen=True)
class Workplace:
    """The hidden folder of one training run.

    Args:
        out: the model folder that the run will write.
    """

    out: Path

    @property
    def path(self) -> Path:
        """The hidden folder, which may not exist."""
        return self.out.with_name(f".{self.out.name}{SUFFIX}")

    @property
    def state(self) -> Path:
        """The file with the resumable state."""
        return self.path / STATE

    def snapshot(self, epoch: int) -> Path:
        """Model folder of the snapshot of an epoch."""
        return self.path / EPOCHS / str(epoch)

    def look(self, resume: bool, force: bool) -> Progress | None:
        """Look for an interrupted run.

        Args:
            resume: resume an interrupted run.
            force: discard an interrupted run.

        Returns:
            Settings and history of the run to resume; None if training starts with the first epoch.

        Raises:
            ZooError: there is an interrupted run but neither option is set, or its state is unusable.
        """
        if not self.state.exists() or (force and not resume):
            return None
        progress = read_progress(self.state)
        if not resume:
            raise ZooError(
                f"training of {self.out} was interrupted after epoch {len(progress.history)} of "
                f"{progress.recipe.epochs}; continue with --resume, or start over with --force."
            )
        return progress

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the run, so that no other process on this machine trains the same model at the same time.

        The operating system releases the lock if the process ends or is killed.

        Raises:
            ZooError: another process holds the lock, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        created = [folder for folder in self.out.absolute().parents if not folder.exists()]
        path = self.path.with_name(f"{self.path.name}{LOCK}")
        lock = FileLock(path, blocking=False)
        with writing(self.out):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_locks(path.parent)
            try:
                lock.acquire()
            except Timeout:
                raise ZooError(
                    f"another process is training {self.out}; wait for it, or choose another --out."
                ) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            lock.release()
            for folder in created:
                with suppress(OSError):
                    folder.rmdir()

    def check_snapshots(self, epochs: Sequence[int], done: int) -> None:
        """Check that no requested snapshot lies in the past.

        Args:
            epochs: epochs whose snapshots are requested.
            done: number of completed epochs.

        Raises:
            ZooError: an epoch is completed, but its snapshot was not saved.
        """
        for epoch in epochs:
            if epoch <= done and not self.snapshot(epoch).is_dir():
                raise ZooError(
                    f"epoch {epoch} of --save-epochs is complete, but was not saved; omit it, or start over with "
                    "--force."
                )

    def clear(self) -> None:
        """Remove the hidden folder."""
        if self.path.is_dir():
            with writing(self.path):
                shutil.rmtree(self.path)

    def copy_snapshots(self, folder: Path) -> None:
        """Copy the snapshots into a model folder."""
        if (self.path / EPOCHS).is_dir():
            with writing(folder):
                # Hidden files are remains of a snapshot that was interrupted.
                shutil.copytree(self.path / EPOCHS, folder / EPOCHS, ignore=shutil.ignore_patterns(".*"))


def _remove_locks(folder: Path) -> None:
    """Remove the locks of killed trainings, and their hidden folders if no epoch was finished."""
    from filelock import FileLock, Timeout

    for path in folder.glob(f".*{SUFFIX}{LOCK}"):
        with suppress(Timeout, OSError), FileLock(path, blocking=False):
            hidden = path.with_name(path.name.removesuffix(LOCK))
            if not (hidden / STATE).exists():
                shutil.rmtree(hidden, ignore_errors=True)
            path.unlink()
