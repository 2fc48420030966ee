import pytest

from cli.service.store import queue
from cli.service.store.records import Kind, Priority
from tests.support.service import question
from tests.support.web import answer


def test_the_description_says_what_every_route_takes_and_answers(service):
    description = service[2].get("/openapi.json").json()
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
    # Only values that FastAPI makes itself have no examples.
    shown = ("Comparison", "Matrix", "Submitted", "Error", "AskComparison", "AskMatrix", "AskWatch", "Health")
    assert all(description["components"]["schemas"][name]["examples"] for name in shown)
    assert "HTTPValidationError" not in description["components"]["schemas"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_no_request_that_the_description_allows_or_forbids_is_a_bug(service):
    # The library changes hypothesis' settings when it is imported.
    import schemathesis

    settings, database, web = service
    for kind in (Kind.comparison, Kind.matrix):
        queue.submit(database, question(kind=kind), "local", Priority.batch, settings.limits)
    answer(database, settings)
    schema = schemathesis.openapi.from_dict(web.get("/openapi.json").json())
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 12

    def check(case):
        response = case.call(session=web, base_url="http://127.0.0.1:8000")
        case.validate_response(response)
