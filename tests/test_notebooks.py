"""A notebook runs in a kernel, and shows results without pyplot."""

from base64 import b64decode
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent / "notebooks" / "compare_two_networks.ipynb"


def shown(outputs):
    """What a cell shows, by its type. Fails if the cell writes warnings."""
    assert not [output for output in outputs if output.get("name") == "stderr"]
    return {kind: data for output in outputs for kind, data in output.get("data", {"text": output.get("text")}).items()}


@pytest.mark.slow
def test_a_notebook_shows_results_as_text_html_frames_and_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = {cell.source.split("\n")[-1]: shown(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"}
    assert cells["result"]["text/html"].count("data:image/png;base64,") == 1
    assert cells["result"]["text/plain"].startswith(
        "Comparison of CifarResNet (a) and CifarResNet (b)\non 360 images\n"
    )
    assert cells["print(result)"]["text"] == cells["result"]["text/plain"] + "\n"
    assert "prediction_a" in cells['result.to_frame("images").head()']["text/html"]
    assert "a    0." in cells['result.to_frame("layers").groupby("model")["best_match_cka"].mean()']["text/plain"]
    assert b64decode(cells["result.plot()"]["image/png"]).startswith(b"\x89PNG")
    assert "Inspection of CifarResNet" in cells["compare.inspect_model(b, images)"]["text/html"]
    # The page has the images that the models predict differently.
    assert (tmp_path / "comparison.html").read_text().count("data:image/png;base64,") > 5
