"""Decoding of all kinds of image files."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.support.image_files import encoded
from zoo.data.decoding.decode import MAX_PIXELS, Layout, UnreadableError, check, decode, decode_crop, read_header

GREY, COLOUR = Layout(1, 6, 8), Layout(3, 6, 8)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)


def test_colours_and_greys_are_kept_as_they_are():
    assert np.array_equal(decode(encoded(PICTURE), COLOUR), PIXELS.transpose(2, 0, 1))
    grey = PICTURE.convert("L")
    assert np.array_equal(decode(encoded(grey), GREY), np.asarray(grey)[None])
    assert np.array_equal(decode(encoded(grey), COLOUR), np.stack([np.asarray(grey)] * 3))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_clipped(form):
    values = np.linspace(0, 65535, 48).astype(np.uint16).reshape(6, 8)
    shown = decode(encoded(Image.fromarray(values), form), GREY)[0]
    assert np.abs(shown - values / 257).max() <= 0.5
    assert read_header(encoded(Image.fromarray(values), form)).grey


def test_palette_and_cmyk_become_rgb():
    palette = PICTURE.quantize(16)
    assert np.array_equal(
        decode(encoded(palette, "GIF"), COLOUR), np.asarray(palette.convert("RGB")).transpose(2, 0, 1)
    )
    red = Image.new("RGB", (8, 6), (250, 10, 10)).convert("CMYK")
    shown = decode(encoded(red, "JPEG", quality=95), COLOUR)
    assert np.abs(shown.mean((1, 2)) - [250, 10, 10]).max() < 5


def test_transparent_parts_are_white():
    half = Image.new("RGBA", (8, 6), (0, 0, 0, 0))
    half.paste((0, 0, 0, 255), (0, 0, 4, 6))
    for image in (half, half.convert("LA"), half.quantize(4)):
        shown = decode(encoded(image), COLOUR)
        assert (shown[:, :, :4].max(), shown[:, :, 4:].min()) == (0, 255)


def test_first_frame_of_an_animation_is_used():
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    animated = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(animated, COLOUR)[:, 0, 0].tolist() == [255, 0, 0]


def test_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = Image.new("RGB", (6, 8), "black")
    sideways.paste("white", (0, 0, 6, 2))
    data = encoded(sideways.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)
    assert (read_header(data).height, read_header(data).width) == (8, 6)
    shown = decode(data, Layout(1, 8, 6))[0]
    assert shown[:2].min() > 200 > 50 > shown[3:].max()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_in_xmp_alone_is_applied_to_the_whole_image(form):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    information = PngInfo()
    information.add_itxt("XML:com.adobe.xmp", xmp.decode())
    options = {"PNG": {"pnginfo": information}, "TIFF": {"tiffinfo": {700: xmp}}}.get(form, {"xmp": xmp})
    upright = Image.new("RGB", (6, 8), "black")
    upright.paste("white", (0, 0, 6, 2))
    data = encoded(upright.transpose(Image.Transpose.ROTATE_90), form, **options)
    header = read_header(data)
    assert (header.height, header.width) == (8, 6)
    shown = decode(data, Layout(3, header.height, header.width)).mean((0, 2))
    assert (shown > 128).tolist() == [True] * 2 + [False] * 6


def test_other_sizes_cover_the_layout_and_are_cropped_at_the_centre():
    wide = Image.new("L", (60, 20), 0)
    wide.paste(255, (20, 0, 40, 20))
    assert decode(encoded(wide), Layout(1, 10, 10)).min() > 200
    reference = np.asarray(PICTURE.resize((16, 12), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    assert np.array_equal(decode(encoded(PICTURE), Layout(3, 12, 16)), reference)


def test_random_crops_are_parts_that_the_seed_decides():
    ramp = np.tile(np.arange(200, dtype=np.uint8), (100, 1))
    data, layout = encoded(Image.fromarray(ramp)), Layout(1, 32, 32)
    crops = [decode_crop(data, layout, seed)[0] for seed in range(50)]
    assert np.array_equal(crops[3], decode_crop(data, layout, 3)[0])
    widths = np.array([int(crop[0, -1]) - int(crop[0, 0]) for crop in crops])
    # Of an area of 20,000: from 0.08 in a ratio of 3/4 (35 pixels wide) to what 100 rows allow (133 wide).
    assert 25 < widths.min() < 60 < 110 < widths.max() <= 133
    assert np.ptp([crop[0, 0] for crop in crops]) > 80


def test_a_bug_of_our_own_is_not_reported_as_a_damaged_image():
    with pytest.raises(AttributeError):
        decode(encoded(PICTURE), None)


BROKEN = {
    "text": lambda: b"this is no image",
    "nothing": lambda: b"",
    "truncated": lambda: encoded(PICTURE.resize((80, 60)), "JPEG")[:500],
    "truncated PNG": lambda: encoded(PICTURE)[:-40],
    "float": lambda: encoded(Image.fromarray(np.zeros((6, 8), np.float32)), "TIFF"),
    "EPS": lambda: encoded(PICTURE, "EPS"),
    "bomb": lambda: encoded(Image.new("1", (MAX_PIXELS // 1000 + 1, 1000))),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_unreadable_images_are_reported_by_decode_and_check(kind):
    for read in (check, lambda data: decode(data, COLOUR)):
        with pytest.raises(UnreadableError, match=r"\w"):
            read(BROKEN[kind]())


def test_check_accepts_what_can_be_decoded():
    check(encoded(PICTURE.resize((400, 300)), "JPEG"))
    check(encoded(PICTURE))
