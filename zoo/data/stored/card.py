"""Check the metadata of a dataset card before the `datasets` library reads it."""

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.base.files import read_file
from zoo.base.foreign import decode_text, foreign_code
from zoo.errors import ZooError

if TYPE_CHECKING:
    from yaml import Node

# Files of a dataset whose YAML the library reads.
CARD_FILES = ("README.md", ".huggingface.yaml")
MAX_CARD, MAX_NODES = 10_000_000, 1_000_000


def check_card(path: Path) -> None:
    """Check that the YAML of a dataset card stays small when its aliases are replaced by what they stand for.

    Args:
        path: a Markdown file with YAML above its text, or a YAML file.

    Raises:
        ZooError: it is too large, or is not YAML.
    """
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    with foreign_code(f"cannot read {path}", "repair or remove it"):
        text = decode_text(read_file(path, MAX_CARD))
        block = REGEX_YAML_BLOCK.search(text) if path.suffix == ".md" else None
        if block is not None:
            text = block[2]
        elif path.suffix == ".md":
            return
        # Without anchors there are no aliases.
        if "&" in text and _has_many_nodes(text):
            raise ZooError(f"expected at most {MAX_NODES:,} values in the YAML of {path.name}, got more; repair it.")


def _has_many_nodes(text: str) -> bool:
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return root is not None and _nodes(root, {}) > MAX_NODES


def _nodes(node: "Node", known: dict[int, float]) -> float:
    """Number of nodes below and including a node, if each alias is a copy; infinite for a node that contains itself."""
    from yaml import MappingNode, SequenceNode

    if id(node) not in known:
        known[id(node)] = float("inf")
        children = node.value if isinstance(node, SequenceNode | MappingNode) else ()
        pairs = (child if isinstance(child, tuple) else (child,) for child in children)
        known[id(node)] = 1 + sum(_nodes(part, known) for pair in pairs for part in pair)
    return known[id(node)]
