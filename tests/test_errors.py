"""Messages of errors: one line, without control characters, and not longer than a reader reads."""

import pickle

import pytest

from compare.errors import CompareError
from compare.errors import UsageError as CompareUsageError
from zoo.errors import UsageError, ZooError


@pytest.mark.parametrize("kind", [ZooError, UsageError, CompareError, CompareUsageError])
def test_messages_are_one_line_of_at_most_493_characters_that_ends_with_the_advice(kind):
    error = kind(f"expected cat\x1b[31m\n{'x' * 5000}; repair it.")
    assert len(str(error)) == 493
    assert str(error).startswith("expected cat?[31m?xxx")
    assert str(error).endswith("xxx; repair it.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
