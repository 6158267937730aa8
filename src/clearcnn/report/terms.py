"""The words that records hold, as messages: phases, splits, verdicts, distortions, metrics."""

from clearcnn.language import say

_TERMS = {
    # Phases of a verb.
    "data": say("data"),
    "load Keras": say("load Keras"),
    "build": say("build"),
    "compile": say("compile"),
    "fit": say("fit"),
    "flip trial": say("flip trial"),
    "flip trials": say("flip trials"),
    "pace": say("pace"),
    "evaluate": say("evaluate"),
    "export": say("export"),
    "folds": say("folds"),
    "baselines": say("baselines"),
    "robustness": say("robustness"),
    "repeats": say("repeats"),
    "learning curve": say("learning curve"),
    "score": say("score"),
    "run folder": say("run folder"),
    "layers": say("layers"),
    "pixels": say("pixels"),
    "neighbours": say("neighbours"),
    # Splits, and the curves of a training.
    "train": say("train"),
    "validation": say("validation"),
    "test": say("test"),
    "training": say("training"),
    "accuracy": say("accuracy"),
    "loss": say("loss"),
    "epoch": say("epoch"),
    "val_accuracy": say("validation accuracy"),
    "val_loss": say("validation loss"),
    # Verdicts.
    "passed": say("passed"),
    "failed": say("failed"),
    "undefined": say("undefined"),
    "better": say("better"),
    "worse": say("worse"),
    # Intervals.
    "wilson": say("Wilson"),
    "wilson, whole groups": say("Wilson, whole groups"),
    "newcombe": say("Newcombe"),
}


def translate_term(word: str) -> str:
    """Return a word of a record as a Message; one that is not known as it is."""
    return _TERMS.get(word, word)


def translate_distortion(distortion: str) -> str:
    """Return the name of a distortion of the test images."""
    return say("unchanged") if distortion == "none" else translate_term(distortion)
