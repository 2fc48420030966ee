"""The options of `zoo serve` that come together."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from cli.report.requirement import parse_requirement
from cli.service.settings import WEBHOOK_SECRET, Limits, Settings
from cli.terminal import options
from cli.terminal.output import say
from zoo.errors import UsageError, ZooError
from zoo.record.names import NAMES

GB = 10**9
_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class WebOptions:
    """Where the service is, and who may use it.

    Args:
        host: address to listen on.
        port: port to listen on.
        url: public address.
        token_file: file with tokens.
        allow_private: whether private models of the Hub may be compared.
    """

    host: Annotated[str, typer.Option(help="Address to listen on; one that others can reach needs a token.")] = (
        Settings.host
    )
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")] = Settings.port
    url: Annotated[
        str | None, typer.Option(help="Public address, for links in comments on the Hub.", show_default=False)
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Tokens, one in each line, or users and their tokens; also in ZOO_SERVE_TOKEN.",
            show_default=False,
        ),
    ] = None
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let people compare models that only your Hub token can read.")
    ] = False

    @property
    def address(self) -> str | None:
        """The public address, without a slash at its end.

        Raises:
            UsageError: it is no address of a web site.
        """
        if self.url and not self.url.startswith(("http://", "https://")):
            raise UsageError(f"--url takes an address such as https://me-service.hf.space, got {self.url!r}.")
        return self.url.rstrip("/") if self.url else None


@dataclass(frozen=True)
class ContentOptions:
    """What can be compared.

    Args:
        models: folder of models.
        dataset: registered datasets, as NAME=PATH.
    """

    models: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder whose models can be compared.")] = (
        Settings.models
    )
    dataset: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=PATH", help="A folder of images that people choose by NAME; repeatable.", show_default=False
        ),
    ] = field(default_factory=list)

    @property
    def datasets(self) -> dict[str, Path]:
        """The registered folders by name.

        Raises:
            UsageError: a name is missing, not a plain word, taken, or given twice.
            ZooError: a folder does not exist.
        """
        registered = [_registered(text) for text in self.dataset]
        names = [name for name, _ in registered]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"--dataset names {repeated[0]!r} more than once; choose different names.")
        return dict(registered)


@dataclass(frozen=True)
class WorkOptions:
    """Where results are stored and computed.

    Args:
        data: folder for the database, results, and the cache.
        database: URL of the database.
        workers: number of comparisons that run at once.
        ray: address of a Ray cluster.
        job_timeout: seconds after which a comparison is stopped.
    """

    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder for the database, results, and cache.", show_default="your data folder"
        ),
    ] = None
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Database, such as postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
            show_default="SQLite in --data",
        ),
    ] = None
    workers: Annotated[int, typer.Option(min=1, help="Number of comparisons that run at once.")] = Settings.workers
    ray: options.Ray = None
    job_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, max=10**7, help="Stop a comparison that takes longer.")
    ] = Settings.job_timeout

    @property
    def folder(self) -> Path:
        """The data folder."""
        from platformdirs import user_data_path

        return self.data or user_data_path("resnet-zoo") / "service"


@dataclass(frozen=True)
class WatchOptions:
    """Which models on the Hub are compared on every push.

    Args:
        watch: their owners.
        watch_dataset: the dataset.
        require: conditions.
        report_to_hub: whether verdicts are posted.
    """

    watch: Annotated[
        list[str],
        typer.Option(
            metavar="OWNER",
            help="Compare each commit of OWNER's models with the last; repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    watch_dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Dataset for these models.", show_default="that of the model")
    ] = None
    require: Annotated[
        list[str],
        typer.Option(
            metavar="EXPR",
            help="Condition on watched models, such as 'agreement>=0.98'; repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    report_to_hub: Annotated[
        bool, typer.Option("--report-to-hub", help="Post verdicts in the Community tab of watched models.")
    ] = False

    def check(self, settings: Settings) -> None:
        """Check the owners, the dataset, and the conditions, and that comments can be posted.

        Args:
            settings: settings of the service. Without a secret of the Hub's webhook, a message says that no event is
                accepted.

        Raises:
            UsageError: an owner or a condition is malformed.
            ZooError: there is no such dataset, or no token of the Hub to post with.
        """
        from huggingface_hub import get_token

        from cli.service.questions.names import parse_dataset

        for owner in self.watch:
            if not _NAME.fullmatch(owner):
                raise UsageError(f"--watch takes an OWNER on the Hub, such as `me` of `me/model`, got {owner!r}.")
        if self.watch_dataset is not None:
            parse_dataset(self.watch_dataset, settings.datasets)
        for text in self.require:
            parse_requirement(text)
        if self.report_to_hub and get_token() is None:
            raise ZooError("--report-to-hub posts with your token of the Hub; log in with `hf auth login`.")
        if self.watch and settings.webhook_secret is None:
            say(f"The Hub's events are refused until {WEBHOOK_SECRET} holds the secret of its webhook.")


@dataclass(frozen=True)
class LimitOptions:
    """Bounds on what people ask for.

    Args:
        queued: comparisons that are queued or running.
        parameters: parameters of a model.
        images: images of a comparison.
        disk: size of the stored reports, in GB.
    """

    queued: Annotated[int, typer.Option("--limit-queued", min=1, help="Comparisons that wait or run.")] = Limits.queued
    parameters: Annotated[int, typer.Option("--limit-parameters", min=1, help="Parameters of a model.")] = (
        Limits.parameters
    )
    images: Annotated[int, typer.Option("--limit-images", min=4, help="Images of a comparison.")] = Limits.images
    disk: Annotated[
        float,
        typer.Option(
            "--limit-disk", metavar="GB", min=0, max=10**6, help="Size of stored reports; the oldest go first."
        ),
    ] = Limits.disk / GB

    @property
    def limits(self) -> Limits:
        """The bounds for the settings of a service."""
        return Limits(queued=self.queued, parameters=self.parameters, images=self.images, disk=round(self.disk * GB))


def _registered(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or not _NAME.fullmatch(name):
        raise UsageError(f"--dataset takes NAME=PATH with a name of letters, digits, `.`, `_` and `-`, got {text!r}.")
    if name in NAMES:
        raise UsageError(f"--dataset {text}: {name} is the name of another dataset; choose another name.")
    if not Path(path).is_dir():
        raise ZooError(f"--dataset {text}: there is no folder {path}; correct the path.")
    return name, Path(path).absolute()
