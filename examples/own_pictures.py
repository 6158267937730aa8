"""Train on your own images: python examples/own_pictures.py FOLDER, one folder per class."""

import sys

import clearcnn

result = clearcnn.train(sys.argv[1])

score = result.test.score
print(f"{score.correct} of {score.total} test images correct: {score.accuracy:.1%}")
print(f"95 % interval: {score.interval.low:.1%} to {score.interval.high:.1%}")
for mistake in result.test.mistakes[:3]:
    print(f"{mistake.name}: {mistake.label} taken for {mistake.prediction}")
print(f"Open {result.run_folder / 'report.html'}")
