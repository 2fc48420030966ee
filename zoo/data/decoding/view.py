"""How models see images: of which size, and resized and cropped how."""

from dataclasses import dataclass, replace

from zoo.model_folder.config import ModelConfig, Preprocessing

# Fractions of its size at which libjpeg can decode an image; and how much larger than the result the decoded image must
# be. At 3, pixels of six sample photos differed by at most 0.6 of 255 on average from those of whole images; at 2, by
# 1.2, and at 1, by 2.8.
JPEG_FRACTIONS, JPEG_MARGIN = (8, 4, 2), 3


@dataclass(frozen=True)
class Layout:
    """Channels and size of all images of a dataset.

    Args:
        channels: 1 or 3.
        height: height in pixels.
        width: width in pixels.
        mixed: whether stored images differ in size, so that they are scaled and cropped.
    """

    channels: int
    height: int
    width: int
    mixed: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, and width."""
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class ModelLayout:
    """Images of mixed sizes as a model sees them: resized and cropped by its own preprocessing.

    Args:
        channels: 1 or 3.
        preprocessing: the model's preprocessing, without what does not change the pixels.
    """

    channels: int
    preprocessing: Preprocessing

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, and width."""
        _, height, width = self.preprocessing.input_size
        return self.channels, height, width


View = Layout | ModelLayout


def model_view(config: ModelConfig) -> View:
    """How a model sees images of mixed sizes; models with equal views share decoded images.

    Models that this program trained see images scaled and cropped as in training, other models as in timm.

    Args:
        config: configuration of the model.
    """
    how = config.pretrained_cfg
    channels, height, width = how.input_size
    if config.zoo is not None:
        return Layout(channels, height, width, mixed=True)
    # The mean is the colour of borders.
    mean = how.mean if how.crop_mode == "border" else (0.0,) * channels
    return ModelLayout(channels, replace(how, mean=mean, std=(1.0,) * channels))


def jpeg_fraction(width: int, height: int, view: View) -> int:
    """Fraction of its size at which a JPEG image may be decoded for a model: 8, 4, or 2, or 1 for the whole image.

    Only fractions that give whole pixels count, so that the result keeps its size and place.

    Args:
        width: width of the stored image, upright or not.
        height: height of the stored image.
        view: how the model sees it.
    """
    most = _reduction(width, height, view) / JPEG_MARGIN
    return next((each for each in JPEG_FRACTIONS if each <= most and width % each == height % each == 0), 1)


def _reduction(width: int, height: int, view: View) -> float:
    """How many pixels of an image become one, along the axis where there are fewer, upright or not."""
    if isinstance(view, Layout):
        return min(width, height) / max(view.height, view.width)
    how = view.preprocessing
    # The nearest pixels are those of the whole image.
    if how.interpolation == "nearest":
        return 1
    sizes = (height, width), (width, height)
    return min(old / new for size in sizes for old, new in zip(size, how.resized(*size), strict=True))
