"""What is wrong with a picture's file, in the words of our own readers."""


class PictureError(ValueError):
    """A picture cannot be read.

    Whatever else an error of a library says about broken bytes is not for people.

    Args:
      problem: goes on a sentence that ends in "cannot be read as a picture: ", without a full stop.
      remedy: one sentence: what to do next; "" for what helps with every picture.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy
