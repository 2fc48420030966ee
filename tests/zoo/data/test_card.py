"""YAML in a dataset card that becomes huge when its aliases are replaced."""

import time

import pytest

from tests.support.image_files import digit_rows, parquet
from zoo.data.sources import load_images
from zoo.data.stored.card import check_card
from zoo.errors import ZooError

# Ten times ten times ... ten copies of one text: 10**9 values in 400 bytes.
LEVELS = "abcdefghi"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(10 * [f'*{before}'])}]\n" for before, name in zip(LEVELS, LEVELS[1:], strict=False)
)
ENDLESS = "a: &a [*a]\n"
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name}\n  l: *{before}\n  r: [{','.join(30 * [f'*{before}'])}]\n"
    for before, name in zip(LEVELS, LEVELS[1:], strict=False)
)


@pytest.mark.parametrize("yaml", [BOMB, ENDLESS, MERGED], ids=["lists", "endless", "maps"])
@pytest.mark.parametrize("name", ["README.md", ".huggingface.yaml"])
def test_huge_yaml_is_refused_within_a_second(tmp_path, yaml, name):
    (tmp_path / "train.parquet").write_bytes(parquet(digit_rows(2)))
    (tmp_path / name).write_text(f"---\n{yaml}---\n# Digits\n" if name == "README.md" else yaml)
    start = time.perf_counter()
    with pytest.raises(ZooError, match=f"expected at most 1,000,000 values in the YAML of {name}, got more"):
        load_images(str(tmp_path), "train")
    assert time.perf_counter() - start < 1


def test_huge_yaml_on_the_hub_is_refused(hub):
    files = {"data/train-0.parquet": parquet(digit_rows(2)), ".huggingface.yaml": BOMB.encode()}
    hub.seed("you/pets", files, kind="dataset")
    with pytest.raises(ZooError, match=r"values in the YAML of .huggingface.yaml, got more"):
        load_images("hf:you/pets", "train")


@pytest.mark.parametrize("yaml", ["a: &a [x]\nb: *a\n", "{", 2_000_000 * "["], ids=["aliases", "no YAML", "deep"])
def test_other_yaml_passes_or_is_one_line(tmp_path, yaml):
    (tmp_path / "README.md").write_text(f"---\n{yaml}\n&\n---\n" if yaml == "{" else f"---\n{yaml}---\n")
    if yaml.startswith("{"):
        with pytest.raises(ZooError, match="cannot read .*README.md"):
            check_card(tmp_path / "README.md")
    else:
        check_card(tmp_path / "README.md")
