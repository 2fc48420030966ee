"""Questions for the tests of the service."""

from cli.service.store.records import Kind, PinnedModel, Question


def model(name, commit="c" * 40):
    """A model on the Hub."""
    return PinnedModel(name, f"hf://{name.partition('@')[0]}@{commit}", commit, f"sha256 of {name} at {commit}")


def question(a="me/a", b="me/b", dataset="digits", key=None, kind=Kind.comparison, options=None):
    """A comparison of two models; different models have different keys."""
    models = model(a), model(b)
    return Question(kind, models, dataset, f"ref of {dataset}", options or {}, key or f"{a} {b} {dataset}")
