"""Options that are declared once, as the fields of a dataclass."""

from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cli.app import zoo_app
from cli.terminal.analysis_options import SimilarityOptions
from cli.terminal.command_options import arguments, expand_options
from cli.terminal.options import ImageOptions


@dataclass(frozen=True)
class Base:
    number: Annotated[int, typer.Option(help="A number.")] = 1


@dataclass(frozen=True)
class Derived(Base):
    long_name: Annotated[str | None, typer.Option(help="A text.")] = None
    values: Annotated[list[str], typer.Option("--value")] = field(default_factory=list)


@pytest.fixture
def call():
    """Runs a command and returns what it received."""
    received = []
    app = typer.Typer()

    @app.command()
    @expand_options
    def command(name: str, flag: bool = False, *, derived: Derived, last: int = 0) -> None:
        """Do something."""
        received.append((name, flag, derived, last))

    def call(*options):
        result = CliRunner().invoke(app, options)
        assert result.exit_code == 0, result.output
        return received[-1] if received else result.output

    return call


def test_a_command_receives_instances(call):
    assert call("x") == ("x", False, Derived(), 0)
    options = ("--number", "2", "--long-name", "y", "--value", "a", "--value", "b", "--last", "3", "--flag")
    assert call("x", *options) == ("x", True, Derived(2, "y", ["a", "b"]), 3)


def test_help_lists_options_in_the_order_of_declaration(call):
    text = call("--help")
    places = [text.index(name) for name in ("--flag", "--number", "--long-name", "--value", "--last")]
    assert places == sorted(places)
    assert "A number." in text


def test_a_required_field_is_a_required_option():
    @dataclass(frozen=True)
    class Required:
        text: Annotated[str, typer.Option()]

    app = typer.Typer()

    @app.command()
    @expand_options
    def command(*, required: Required) -> None:
        raise AssertionError

    assert CliRunner().invoke(app, []).exit_code == 2


def test_arguments_give_the_same_options_to_another_process():
    images = ImageOptions(split="all", max_examples=7, batch_size=4, seed=3, device="cpu")
    similarity = SimilarityOptions("stage3.*", 2, "fp64")
    texts = [*arguments(images), *arguments(similarity)]
    assert "--max-examples=7" in texts
    assert "--layers" not in " ".join(arguments(SimilarityOptions()))
    received = []
    app = typer.Typer()

    @app.command()
    @expand_options
    def command(*, images: ImageOptions, similarity: SimilarityOptions) -> None:
        received.extend((images, similarity))

    assert CliRunner().invoke(app, texts).exit_code == 0
    assert received == [images, similarity]


# The options of the commands that compare models, beside their own.
IMAGES = [
    "--dataset",
    "--image-column",
    "--label-column",
    "--split",
    "--max-examples",
    "--batch-size",
    "--seed",
    "--device",
]
CKA = ["--layers", "--passes", "--precision", "--pool"]
BASELINE = ["--baseline", "--baseline-seeds"]
FILES = ["--json", "--png", "--svg", "--html"]
PARALLEL = ["--jobs", "--ray"]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "compare",
            [
                *(*IMAGES, *CKA, "--tolerance", "--measure", "--null", *BASELINE),
                *("--correction", "--export", "--require", "--server", "--full", *FILES, "--version"),
            ],
        ),
        ("matrix", [*IMAGES, *CKA, *BASELINE, "--tolerance", *PARALLEL, "--pair", *FILES]),
        ("inspect", [*IMAGES, *CKA, "--part", "--components", "--drop-dominant", *FILES]),
        ("groups", ["--a", "--b", "--superclasses", *IMAGES, *PARALLEL, "--export", *FILES]),
        ("site", ["--out", "--models", "--hub", *IMAGES, *CKA, *BASELINE, "--push-space", "--private"]),
    ],
)
def test_every_option_is_in_the_help(command, options):
    text = CliRunner().invoke(zoo_app, [command, "--help"]).output
    expected = {*options, "--quiet", "--verbose", "--help", *(["--no-cache"] if command != "site" else [])}
    listed = {line.split()[0] for line in text.splitlines() if line.startswith("  --")}
    assert listed == expected
