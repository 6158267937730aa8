"""Train on your own images: python examples/own_pictures.py FOLDER, one folder per class."""

import sys

import clearcnn

result = clearcnn.train(sys.argv[1])

print(f"test images: {result.score}")
for mistake in result.test.mistakes[:3]:
    print(f"{mistake.name}: {mistake.label} taken for {mistake.prediction}")
print(f"Open {result.run_folder / 'report.html'}")
