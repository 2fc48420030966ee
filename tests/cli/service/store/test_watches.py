from dataclasses import replace

import pytest

from cli.service.errors import ConflictError, ForbiddenError, NotFoundError
from cli.service.store import watches
from cli.service.store.records import Watch

WATCH = Watch("me/a", "digits", ("agreement>=0.98",), "me", "c" * 40)


def test_a_watch_is_added_advanced_and_removed(database):
    watches.add(database, WATCH)
    watches.add(database, Watch("me/b", None, (), "you"))
    assert watches.find(database, "me/a") == WATCH
    watches.advance(database, "me/a", "d" * 40, 7)
    advanced = replace(WATCH, commit="d" * 40, discussion=7)
    assert watches.all_watches(database) == (advanced, Watch("me/b", None, (), "you"))
    watches.remove(database, "me/a", "me")
    assert [watch.model for watch in watches.all_watches(database)] == ["me/b"]


def test_a_model_is_watched_once_and_only_its_user_ends_that(database):
    watches.add(database, WATCH)
    with pytest.raises(ConflictError, match="me/a is watched already"):
        watches.add(database, replace(WATCH, user="you"))
    with pytest.raises(ForbiddenError, match="only the user who added"):
        watches.remove(database, "me/a", "you")


@pytest.mark.parametrize("model", ["me/a", "\x00"])
def test_a_model_that_is_not_watched_is_not_found(database, model):
    for call in (watches.find, lambda *a: watches.remove(*a, "me"), lambda *a: watches.advance(*a, "c", None)):
        with pytest.raises(NotFoundError, match="is not watched"):
            call(database, model)
