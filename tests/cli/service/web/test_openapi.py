import re
import subprocess
import sys

import pytest

from cli.service.store import queue
from cli.service.store.records import Priority
from tests.support.service import question
from tests.support.web import answer, serving

# Those left out expect that every value of the right type is accepted.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "missing_required_header",
)


def test_the_description_says_what_every_route_takes_and_answers(service):
    description = service[2].get("/openapi.json").json()
    schemas = description["components"]["schemas"]
    operations = [
        (path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) > 12
    for path, method, operation in operations:
        assert path.startswith("/api/") or path == "/metrics"
        assert operation["summary"] and operation["description"], (path, method)
        for status in ("401", "422", "503"):
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Error"}, (path, method, status)
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            values = schemas[schema["$ref"].rpartition("/")[2]] if "examples" not in schema else schema
            assert values["examples"], (path, method)
    shown = ("Comparison", "Matrix", "Submitted", "Error", "Watched", "Received", "Model", "Datasets", "Health")
    assert all(schemas[name]["examples"] for name in shown)
    assert "HTTPValidationError" not in schemas


@pytest.mark.slow
def test_no_request_that_the_description_allows_or_forbids_is_a_bug(service, tmp_path):
    settings, database, _ = service
    job, _ = queue.submit(database, question(), "local", Priority.batch, settings.limits)
    answer(database, settings)
    # Without it, all ids would be unknown ones.
    (tmp_path / "schemathesis.toml").write_text(f"[parameters]\njob_id = '{job.id}'\n")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", tmp_path / "schemathesis.toml", "run"]
    options = ["--checks", ",".join(CHECKS), "--max-time", "20", "--seed", "1", "--no-color"]
    with serving(settings, database) as web:
        tried = subprocess.run(
            [*command, f"{web.base_url}/openapi.json", *options], capture_output=True, text=True, cwd=tmp_path
        )
    assert tried.returncode == 0, tried.stdout[-5000:]
    assert int(re.search(r"Tested: (\d+)", tried.stdout)[1]) > 12
