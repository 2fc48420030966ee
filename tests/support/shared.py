"""Work done once per test run and shared by all tests and all xdist workers."""

import os

from filelock import FileLock


def make_once(tmp_path_factory, name, make):
    """Create a folder once; later callers, in any worker, get the same folder.

    Args:
        tmp_path_factory: the fixture of pytest.
        name: name of the folder, unique among all callers.
        make: fills an empty folder, given its path.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # The workers' folders are in one folder of the run.
        root = root.parent
    folder, unfinished = root / "shared" / name, root / "shared" / f"{name}.unfinished"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
