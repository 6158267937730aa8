"""Your first CNN: teach a computer to read handwritten digits.

    python examples/digits_tutorial.py --figures figures

A lesson in Keras 3, to be read from top to bottom. The only difference from plain Keras is one
word: `clearcnn.fit(model, ...)` instead of `model.fit(...)`. Without `--figures` nothing is drawn.
"""

import argparse
from pathlib import Path

import clearcnn  # before Keras, so that Keras uses JAX

# isort: split
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser(description="Your first CNN: handwritten digits.")
parser.add_argument("--figures", type=Path, metavar="FOLDER", help="draw pictures into FOLDER")
figures = parser.parse_args().figures
if figures:
    figures.mkdir(parents=True, exist_ok=True)
    plt.switch_backend("agg")  # Draw into files; no window is needed.

# The initial weights and the order of the images are random. With a fixed seed you get the same
# numbers every time; change it, and see how much they vary.
SEED = 777
keras.utils.set_random_seed(SEED)


# 1. Load the data -----------------------------------------------------------------------------
# 1,797 handwritten digits, scanned and reduced to 8×8 pixels.
digits = load_digits()


# 2. Look at the first image -------------------------------------------------------------------
# To a computer an image is a table of numbers: 0 is empty paper, 16 is full ink.
print(f"The first image is a {digits.target[0]}:")
for row in digits.images[0]:
    print("".join(f"{int(value):4d}" for value in row))

if figures:
    plt.figure(figsize=(3, 3))
    plt.imshow(digits.images[0], cmap="gray_r")
    plt.title(f"label: {digits.target[0]}")
    plt.savefig(figures / "first_image.png")
    plt.close()


# 3. Shapes ------------------------------------------------------------------------------------
print(f"\nimages {digits.images.shape}, labels {digits.target.shape}")


# 4. Reshape -----------------------------------------------------------------------------------
# Conv2D wants (images, height, width, channels). Grey images have one channel, colour has three.
x = digits.images.reshape(-1, 8, 8, 1)
print(f"x {x.shape}")


# 5. One-hot -----------------------------------------------------------------------------------
# The network will output ten probabilities, so each label becomes ten numbers as well:
# 3 turns into 0 0 0 1 0 0 0 0 0 0.
y = keras.utils.to_categorical(digits.target, num_classes=10)
print(f"y {y.shape}")


# 6. Split -------------------------------------------------------------------------------------
# A network can memorise its images. Only images that it never saw show what it has learned, so
# 30 % are set aside as the test set and not used before the very end.
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=SEED)
print(f"train {x_train.shape}, test {x_test.shape}")


# 7. The model ---------------------------------------------------------------------------------
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        # Ten small filters of 3×3 weights slide over the image; each one learns to respond to a
        # pattern, such as an edge. (3·3 + 1 bias)·10 = 100 parameters, 8×8 → 6×6.
        keras.layers.Conv2D(10, (3, 3)),
        # Keep positive values only. Without a nonlinearity, several layers would equal one.
        keras.layers.Activation("relu"),
        # Of every 2×2 block keep the maximum: 6×6 → 3×3. A pattern that moves a little now gives
        # nearly the same output.
        keras.layers.MaxPooling2D((2, 2)),
        # 3×3×10 values in one row of 90 …
        keras.layers.Flatten(),
        # … combined with weights: (90 + 1)·50 = 4,550 parameters …
        keras.layers.Dense(50, activation="relu"),
        # … into ten probabilities that sum to 1: (50 + 1)·10 = 510 parameters.
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.summary()


# 8. Compile -----------------------------------------------------------------------------------
# Categorical cross-entropy is large when the true digit got a small probability. Adam follows its
# gradient downhill, in steps of about 0.001.
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)


# 9. Fit ---------------------------------------------------------------------------------------
# 100 times through the training images, 50 images per step. The last fifth of them is not used for
# training: it shows after each epoch how the network does on images that are new to it.
num_learned = int(len(x_train) * (1 - 0.2))
print(f"learning from {num_learned} images, validating on {len(x_train) - num_learned}")
history = clearcnn.fit(
    model,
    x_train,
    y_train,
    epochs=100,
    batch_size=50,
    validation_split=0.2,
    verbose=0,  # 1 shows a progress bar.
    seed=SEED,
).history


# 10. Curves -----------------------------------------------------------------------------------
# If the training loss falls while the validation loss rises, the network memorises its images: it
# overfits.
metrics = ("loss", "val_loss", "accuracy", "val_accuracy")
print("\nepoch" + "".join(f"{name:>14}" for name in metrics))
for epoch in (1, *range(10, 101, 10)):
    print(f"{epoch:5d}" + "".join(f"{history[name][epoch - 1]:14.4f}" for name in metrics))

if figures:
    for name in ("accuracy", "loss"):
        plt.figure()
        plt.plot(history[name], label="training")
        plt.plot(history[f"val_{name}"], label="validation")
        plt.xlabel("epoch")
        plt.ylabel(name)
        plt.legend()
        plt.savefig(figures / f"{name}.png")
        plt.close()


# 11. Evaluate ---------------------------------------------------------------------------------
# Now, once, the images that were set aside.
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
num_correct = round(accuracy * len(x_test))
print(f"\ntest loss {loss:.4f}")
print(f"test accuracy {accuracy:.4f}: {num_correct} of {len(x_test)} images correct")

# Which ones did it get wrong? You may find some of them hard yourself.
predicted = np.argmax(model.predict(x_test, verbose=0), axis=1)
actual = np.argmax(y_test, axis=1)
for i in np.flatnonzero(predicted != actual)[:5]:
    print(f"  {actual[i]} was taken for {predicted[i]}")

if figures:
    print(f"\nfigures in {figures}: {', '.join(sorted(p.name for p in figures.glob('*.png')))}")
