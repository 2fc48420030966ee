"""Publish a model folder and report what was uploaded."""

from pathlib import Path

from cli.terminal.output import interruptible, say
from zoo.model_folder.folder import CARD


def publish(
    folder: Path,
    repo_id: str,
    *,
    private: bool,
    revision: str | None = None,
    tag: str | None = None,
    message: str | None = None,
) -> None:
    """Push, and tell what came of it: the address and the commit on stdout."""
    from zoo.hub.publish import push as push_folder

    with interruptible("push again to be sure that all has arrived"):
        done = push_folder(folder, repo_id, private=private, revision=revision, tag=tag, message=message)
    for name in done.left_out:
        say(f"left out {name}: only weights in safetensors, texts, tables and pictures are published.")
    if not (folder / CARD).is_file():
        say(f"without a {CARD} no list finds it; `zoo card {folder}` writes one.")
    if not done.changed:
        say("nothing has changed since the last commit.")
    print(f"{done.url} {done.commit}")
