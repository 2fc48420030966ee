"""Idle threads sleep, unless the user has chosen otherwise."""

import os

import pytest

from zoo.base.threads import wait_without_spinning


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
    ],
)
def test_idle_threads_sleep_unless_the_user_has_chosen(monkeypatch, chosen, expected):
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    for name in names:
        # monkeypatch restores what the function sets.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    wait_without_spinning()
    assert {name: os.environ[name] for name in names if name in os.environ} == expected
