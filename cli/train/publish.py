"""Publish a model folder and print what was uploaded."""

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
    """Push a model folder, and print its URL and commit on stdout.

    Args:
        folder: the model folder.
        repo_id: repository on the Hub, as OWNER/NAME.
        private: whether a new repository is private.
        revision: branch to push to; None for `main`.
        tag: tag for the commit; None for none.
        message: commit message; None for a default.

    Raises:
        ZooError: the folder is no model folder, or the upload failed or was interrupted.
    """
    from zoo.hub.publish import push as push_folder

    with interruptible("the upload may be incomplete. Push again"):
        pushed = push_folder(folder, repo_id, private=private, revision=revision, tag=tag, message=message)
    for name in pushed.left_out:
        say(f"skipped {name}: only safetensors weights, texts, tables, and pictures are published.")
    if not (folder / CARD).is_file():
        say(f"there is no {CARD}, so `zoo list` cannot find the model on the Hub; `zoo card {folder}` writes one.")
    if not pushed.changed:
        say("nothing has changed since the last commit.")
    print(f"{pushed.url} {pushed.commit}")
