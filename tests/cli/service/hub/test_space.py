"""The service as a Docker Space: its files, their pinned versions, and what its Dockerfile does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from huggingface_hub import HfApi

from cli.service.hub.space import PORT, push_service, requirements, write_space
from cli.service.hub.wheel import write_wheel
from tests.support.hub.store import card_errors
from zoo.errors import ZooError

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
INSTRUCTIONS = {"FROM", "ARG", "RUN", "WORKDIR", "COPY", "USER", "ENV", "EXPOSE", "CMD"}


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    write_space(folder)
    return folder


@pytest.fixture(scope="module")
def dockerfile(space):
    """Instructions and their arguments."""
    lines = (space / "Dockerfile").read_text().splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


def arguments(dockerfile, instruction):
    return [argument for name, argument in dockerfile if name == instruction]


def test_readme_is_a_valid_card_of_a_docker_space(space):
    text = (space / "README.md").read_text()
    card = yaml.safe_load(text.split("---")[1])
    assert (card["sdk"], card["app_port"]) == ("docker", PORT)
    assert card_errors(text, "space") == []


def test_dockerfile_has_one_image_of_a_fixed_version_and_known_instructions(dockerfile):
    assert {name for name, _ in dockerfile} <= INSTRUCTIONS
    (image,) = arguments(dockerfile, "FROM")
    assert re.fullmatch(r"python:3\.\d+-slim", image)
    assert dockerfile[0][0] == "FROM" and dockerfile[-1][0] == "CMD"
    assert len(arguments(dockerfile, "CMD")) == 1


def test_container_runs_as_the_user_of_spaces_with_data_in_the_storage(dockerfile):
    assert "--uid 1000 user" in arguments(dockerfile, "RUN")[0]
    assert arguments(dockerfile, "USER") == ["user"]
    assert all(dockerfile.index(("USER", "user")) > place for place, line in enumerate(dockerfile) if line[0] == "RUN")
    assert arguments(dockerfile, "EXPOSE") == [str(PORT)]
    command = yaml.safe_load(arguments(dockerfile, "CMD")[0])
    assert command[:2] == ["zoo", "serve"]
    assert command[command.index("--port") + 1] == str(PORT)
    assert command[command.index("--data") + 1].startswith("/data/")


def test_copied_files_are_in_the_space(space, dockerfile):
    for argument in arguments(dockerfile, "COPY"):
        source, _ = argument.split()
        assert len(list(space.glob(source))) == 1


def test_no_step_downloads_a_package_that_is_not_pinned(dockerfile):
    for command in arguments(dockerfile, "RUN"):
        if "pip install" in command:
            assert "--requirement requirements.txt" in command or "--no-deps ./*.whl" in command


def test_requirements_pin_what_the_service_needs():
    lines = requirements()
    names = {line.split("==")[0] for line in lines}
    assert {"torch", "fastapi", "uvicorn", "sqlalchemy", "alembic", "huggingface-hub", "starlette"} <= names
    assert "resnet-zoo" not in names and "pytest" not in names
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines)


@pytest.mark.slow
def test_pip_lines_of_the_dockerfile_install_a_package_that_starts(space, dockerfile, tmp_path):
    installs = [command for command in arguments(dockerfile, "RUN") if "pip install" in command]
    # Without the other packages, which this environment has.
    command = installs[-1].replace("pip install", f"{sys.executable} -m pip install --no-index --target {tmp_path}")
    subprocess.run(command, shell=True, cwd=space, check=True, capture_output=True)
    code = "import sys, cli.app; assert cli.app.__file__.startswith(sys.argv.pop()); cli.app.zoo()"
    environment = {"PYTHONPATH": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-P", "-c", code, "--version", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (shown.returncode, shown.stdout.split()[0]) == (0, "resnet-zoo"), shown.stderr
    for name in ("cli/service/hub/Dockerfile", "cards/page/templates/page.css", "bin/zoo"):
        assert (tmp_path / name).is_file()


def test_wheel_of_equal_code_has_equal_bytes(space, tmp_path):
    assert write_wheel(tmp_path).read_bytes() == next(space.glob("*.whl")).read_bytes()


def test_space_is_pushed_in_one_commit_and_again_only_if_it_changed(hub):
    first = push_service("me/service")
    assert HfApi().space_info("me/service").sdk == "docker"
    assert {"Dockerfile", "README.md", "requirements.txt"} <= set(hub.files("me/service", kind="space"))
    assert len(hub.commits("me/service", kind="space")) == 2
    again = push_service("me/service")
    assert (again.changed, again.commit) == (False, first.commit)


def test_space_of_another_program_is_not_replaced(hub):
    HfApi().create_repo("me/app", repo_type="space", space_sdk="docker")
    hub.seed("me/app", {"Dockerfile": "FROM scratch", "app.py": "mine"}, kind="space")
    with pytest.raises(ZooError, match="`zoo serve --push-space` did not write"):
        push_service("me/app")
    assert hub.files("me/app", kind="space")["app.py"] == b"mine"


def test_files_hold_no_path_of_this_machine(space):
    for path in space.iterdir():
        if path.suffix != ".whl":
            assert str(Path.home()) not in path.read_text(encoding="utf-8", errors="ignore").replace("/home/user", "")
