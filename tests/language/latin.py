"""Find what was left in English in a Korean text."""

import re
from collections.abc import Iterable

# Names of software, methods, layers, types, formats, files and commands, which stay.
_KEPT = """
    clearcnn Keras JAX ONNX Runtime NumPy Pillow scikit learn TensorFlow OpenVINO Triton NVIDIA
    LiteRT KServe Prometheus Parquet TOML JSON JSONL CSV IDX MNIST Hugging Face gzip zip tar
    HTML PNG HTTP HTTPS TLS SIGTERM Ctrl TRACK FRAME REGEX RUN NEW SOURCE IMAGE FILE FOLDER
    NAMES NAME SIZE MODE COLUMN SECONDS RATE MODEL KIND FORMAT PATH CODE HOST TOKEN DATA VERB
    MiB Conv2D MaxPooling2D Rescaling Dropout Flatten Dense Activation relu softmax same valid
    MLP SVM RBF ReLU digits uint8 float64 default tutorial Adam AdamW Muon gelu SHA ROC SmoothGrad
    Smilkov Zeiler and Fergus Adebayo Nadeau Bengio Wilson ECE explain predict serve train
    check evaluate export cache json csv html bundle history evaluation explanation predictions
    figures CNN CPU stdin stdout stderr Open Inference Bearer
"""


def find_latin(texts: Iterable[str], kept: Iterable[str] = ()) -> dict[str, list[str]]:
    """Find words in Latin letters that are no names.

    Args:
      texts: what a person reads.
      kept: more names, such as those of the classes and the images.
    Returns:
      The words, by the text that has them.
    """
    known = {*_KEPT.split(), *kept}
    found = {}
    for text in texts:
        words = [word for word in re.findall(r"[A-Za-z]{3,}\d*[A-Z]?", text) if word not in known]
        if words:
            found[text.strip()] = words
    return found


def list_texts(page: str) -> list[str]:
    """The texts of an HTML page, with those for screen readers and tooltips."""
    page = re.sub(r"<(style|script|code|pre)\b.*?</\1>", " ", page, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', page)
    return [re.sub(r"&\w+;", " ", text) for text in (*re.split(r"<[^<>]*>", page), *labels)]
