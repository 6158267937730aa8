"""The error that this room's own image readers raise."""


class ImageError(ValueError):
    """An image file cannot be read.

    Only these messages are shown to users; those of image libraries are too technical.

    Args:
      problem: a clause that follows "FILE cannot be read as an image: ", without a full stop.
      remedy: one sentence: what to do next; "" takes the general one.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy
