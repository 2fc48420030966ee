"""What the operator of a service decides. No request can change any of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

# Environment variables with the token of a service, and with the secret of the Hub's webhook.
TOKEN, WEBHOOK_SECRET = "ZOO_SERVE_TOKEN", "ZOO_SERVE_WEBHOOK_SECRET"


@dataclass(frozen=True)
class Limits:
    """Bounds that keep one user, or all together, from filling the machine.

    Args:
        queued: jobs that are queued or running, of all users.
        queued_per_user: the same of one user.
        parameters: parameters of a model.
        model_bytes: bytes of the weights of a model.
        images: images of a comparison.
        dataset_bytes: bytes of the files of a dataset on the Hub.
        matrix_models: models of a matrix.
        disk: bytes of the stored reports; the oldest are removed first.
    """

    queued: int = 200
    queued_per_user: int = 20
    parameters: int = 500_000_000
    model_bytes: int = 2 * 2**30
    images: int = 10_000
    dataset_bytes: int = 4 * 2**30
    matrix_models: int = 20
    disk: int = 20 * 10**9


@dataclass(frozen=True)
class Settings:
    """The settings of a service, for the web server and the workers.

    Args:
        data: folder for the database, the cache, and the reports.
        database: SQLAlchemy URL; None for SQLite in `data`.
        models: folder whose model folders may be compared.
        datasets: folders of datasets by the name under which people choose them.
        host: address to listen on.
        port: port to listen on.
        url: public address, for links in comments, such as `https://me-service.hf.space`; None if there is none.
        workers: number of worker processes.
        ray: address of a Ray cluster that runs the jobs; None for this machine.
        job_timeout: seconds after which a job is stopped.
        tokens: user names by token; empty if no token is needed.
        allow_private: whether private models of the Hub may be compared.
        watch: owners on the Hub whose models are compared on every push.
        watch_dataset: dataset for the models of these owners; None for the one they were trained on.
        report_to_hub: whether verdicts are posted in the Community tab of watched models.
        require: conditions on watched models, such as `agreement>=0.98`.
        webhook_secret: the secret that the Hub sends with its events; None if events are refused.
        limits: bounds on jobs, models, images, and disk.
    """

    data: Path
    database: str | None = None
    models: Path = Path("models")
    datasets: Mapping[str, Path] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8000
    url: str | None = None
    workers: int = 1
    ray: str | None = None
    job_timeout: float = 3600
    tokens: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool = False
    watch: tuple[str, ...] = ()
    watch_dataset: str | None = None
    report_to_hub: bool = False
    require: tuple[str, ...] = ()
    webhook_secret: str | None = None
    limits: Limits = Limits()

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database or f"sqlite:///{self.data.absolute() / 'service.sqlite'}"

    @property
    def cache(self) -> Path:
        """Folder of cached results and traces, in the format of the command line's cache."""
        return self.data / "cache"

    @property
    def jobs(self) -> Path:
        """Folder with a file for each running job."""
        return self.data / "jobs"

    def report(self, job_id: str) -> Path:
        """Folder of the files of an answer: `result.json`, `page.html`, `picture.png`, and `images.json`."""
        return self.data / "reports" / job_id

    def to_json(self) -> bytes:
        """JSON for worker processes, without the secrets that only the web server needs."""
        return msgspec.json.encode(replace(self, tokens={}, webhook_secret=None), enc_hook=str)

    @classmethod
    def from_json(cls, text: bytes) -> "Settings":
        """Read what `to_json` wrote."""
        return msgspec.json.decode(text, type=cls, dec_hook=lambda kind, value: kind(value))
