"""Generated and user text of a model card."""

from zoo.model_folder.card_marker import MARKER, for_repo, named_license, named_repo, own_text

OURS = b'---\nlicense: mit\n---\ncreate_model("hf-hub:OWNER/MODEL")\ncompare OWNER/MODEL OTHER, not MY-OWNER/MODEL\n'


def test_user_text_is_kept_to_the_byte():
    for below in (b"", b"\n", b"\r\n\xff Mine.\r\n", b"\nOne.\n" + MARKER.encode() + b"\nTwo."):
        assert own_text(OURS + MARKER.encode() + below) == below
    assert own_text(OURS) is None


def test_only_the_generated_part_is_renamed_to_another_repository():
    below = b"\nOWNER/MODEL is mine.\r\n"
    card = for_repo(OURS + MARKER.encode() + below, "me/m")
    assert card.startswith(
        b'---\nlicense: mit\n---\ncreate_model("hf-hub:me/m")\ncompare me/m OTHER, not MY-OWNER/MODEL'
    )
    assert card.endswith(MARKER.encode() + below)
    assert for_repo(OURS, "me/m") == OURS
    assert for_repo(b"mine" + MARKER.encode(), "me/m") == b"mine" + MARKER.encode()


def test_licence_and_repository_are_read():
    assert (named_repo(OURS), named_license(OURS)) == ("OWNER/MODEL", "mit")
    assert (named_repo(b"nothing"), named_license(b"license mit")) == (None, None)
