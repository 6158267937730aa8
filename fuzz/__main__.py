"""Search for input that a reader stumbles over: `python -m fuzz NAME [SECONDS] [CORPUS]`.

Needs atheris. What is found lies in the corpus folder, as `crash-…`.
"""

import sys
from pathlib import Path

import atheris

_INSTRUMENTED = ["clearcnn", "PIL", "json", "tomllib", "zipfile"]


def main() -> None:
    """Fuzz one target for a while."""
    name = sys.argv[1]
    seconds = sys.argv[2] if len(sys.argv) > 2 else "60"
    corpus = Path(sys.argv[3] if len(sys.argv) > 3 else f".cache/fuzz/{name}")
    corpus.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=_INSTRUMENTED):
        from fuzz.target import find_target

        target = find_target(name)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=4096", "-max_len=8192"]
    atheris.Setup(
        [sys.argv[0], str(corpus), f"-artifact_prefix={corpus}/", "-print_final_stats=1", *limits],
        lambda content: target.attack(content) and None,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
