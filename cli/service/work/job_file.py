"""What a worker hands to the process that computes an answer, and the progress that it reads back: two files."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from cli.service.settings import Settings
from cli.service.store.records import Job, Question
from zoo.base.files import replace_file


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Args:
        fraction: fraction done, from 0 to 1.
        phase: what the job does, such as `comparing`; empty before it starts.
    """

    fraction: float = 0.0
    phase: str = ""


@dataclass(frozen=True)
class JobFile:
    """All that the process of a job needs, on whatever machine it runs.

    Args:
        question: the question.
        cache: folder of cached results.
        report: folder to write the files of the answer to.
        allow_private: whether the Hub may be asked with the token of the operator.
    """

    question: Question
    cache: Path
    report: Path
    allow_private: bool = False

    @classmethod
    def of(cls, job: Job, settings: Settings) -> "JobFile":
        """What the process of a job needs, with paths that do not depend on the working folder."""
        report = settings.report(job.id).absolute()
        return cls(job.question, settings.cache.absolute(), report, settings.allow_private)

    def write(self, path: Path) -> None:
        """Write it atomically.

        Raises:
            OSError: it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(self, enc_hook=str))

    @classmethod
    def read(cls, path: Path) -> "JobFile":
        """Read what `write` wrote.

        Raises:
            OSError: there is no such file.
        """
        return msgspec.json.decode(path.read_bytes(), type=cls, dec_hook=lambda kind, value: kind(value))


def job_path(job: Job, settings: Settings) -> Path:
    """The file of a job. Each attempt has its own, since a worker that lost its job may not have noticed yet."""
    return settings.jobs.absolute() / f"{job.id}-{job.attempts}.json"


def write_progress(job_file: Path, progress: Progress) -> None:
    """Write the progress of a job beside its file, atomically.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(_progress_path(job_file), msgspec.json.encode(progress))


def read_progress(job_file: Path) -> Progress:
    """Read the progress of a job; before it starts, nothing is done."""
    try:
        return msgspec.json.decode(_progress_path(job_file).read_bytes(), type=Progress)
    except FileNotFoundError:
        return Progress()


def remove(job_file: Path) -> None:
    """Remove the files of a job. A process that still computes it then ends."""
    job_file.unlink(missing_ok=True)
    _progress_path(job_file).unlink(missing_ok=True)


def _progress_path(job_file: Path) -> Path:
    return job_file.with_suffix(".progress")
