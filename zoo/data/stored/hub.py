"""Datasets on the Hub, read with the `datasets` library."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from zoo.data.stored.card import CARD_FILES, check_card
from zoo.data.stored.columns import choose_columns
from zoo.data.stored.image_files import Source
from zoo.data.stored.table import prepare, quieten, reasons, table_source
from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.commits import COMMIT, cache_commit, commit_of, get_repo_info, ref_file
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubRef
from zoo.record.names import Columns


def pin_data(ref: HubRef) -> str:
    """Find the current commit of a dataset; offline, the last one that was used.

    Args:
        ref: repository of the dataset, at some revision.

    Raises:
        ZooError: the dataset or revision does not exist or is not accessible, the Hub cannot be reached, or the dataset
            needs its own loading script.
    """
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return _last_commit(ref)
    with hub_errors(f"dataset {ref}"):
        info = get_repo_info(hub_client(), ref, "dataset")
    script = f"{ref.repo_id.split('/')[1]}.py"
    if any(file.rfilename == script for file in info.siblings or ()):
        raise ZooError(
            f"dataset {ref} needs its own loading script {script}, and downloaded code is never executed; "
            f"try hf:{ref.repo_id}@refs/convert/parquet, or ask its owner for parquet files."
        )
    commit = commit_of(ref, info)
    cache_commit(ref, commit, "dataset")
    return commit


def _last_commit(ref: HubRef) -> str:
    if ref.revision is not None and COMMIT.fullmatch(ref.revision):
        return ref.revision
    file = ref_file(ref, "dataset")
    if not file.is_file():
        raise ZooError(
            f"dataset {ref} is not in the cache, and HF_HUB_OFFLINE is set; unset it and load the dataset once."
        )
    return file.read_text().strip()


def open_hub(ref: HubRef, commit: str, files: Mapping[str, str] | None, columns: Columns) -> Source:
    """Open a dataset on the Hub at one commit; it is downloaded unless it is cached.

    Args:
        ref: repository of the dataset.
        commit: full commit hash.
        files: glob pattern of the files of each split; all files if None.
        columns: the columns to use.

    Raises:
        ZooError: the dataset cannot be downloaded, or has no labelled images.
    """
    from datasets import load_dataset_builder
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub import constants

    what = f"dataset {ref}"
    quieten()
    _check_hub_cards(ref, commit)
    try:
        with hub_errors(what), reasons(what):
            builder = load_dataset_builder(ref.repo_id, revision=commit, data_files=files)
            if builder.info.features:
                choose_columns(builder.info.features, what, columns)
            datasets = prepare(builder)
    except ZooError as error:
        cause = error.__cause__
        if isinstance(cause, DatasetNotFoundError) and "gated" in str(cause):
            page = f"{constants.ENDPOINT}/datasets/{ref.repo_id}"
            raise ZooError(f"{what} is gated; accept its terms at {page}, then log in with `hf auth login`.") from cause
        raise
    return table_source(datasets, what, columns, from_folder=builder.info.builder_name == "imagefolder")


def _check_hub_cards(ref: HubRef, commit: str) -> None:
    """Check the dataset card at a commit; offline, the one in the cache. Access is checked by the library."""
    from huggingface_hub import constants
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RemoteEntryNotFoundError

    # Online, the other kind of EntryNotFoundError is a failed download.
    missing = EntryNotFoundError if constants.is_offline_mode() else RemoteEntryNotFoundError
    for name in CARD_FILES:
        with hub_errors(f"dataset {ref}"), suppress(missing, GatedRepoError):
            path = hub_client().hf_hub_download(ref.repo_id, name, repo_type="dataset", revision=commit)
            check_card(Path(path))
