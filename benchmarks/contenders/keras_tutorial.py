"""The tutorial as a script in plain Keras: digits in, test accuracy out, nothing saved."""

import argparse

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

# isort: split
import protocol

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=100)
epochs = parser.parse_args().epochs

keras.utils.set_random_seed(777)
digits = load_digits()
x = digits.images.reshape(-1, 8, 8, 1)
y = keras.utils.to_categorical(digits.target, 10)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=777)

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(10, (3, 3)),
        keras.layers.Activation("relu"),
        keras.layers.MaxPooling2D((2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dense(50, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=50, epochs=epochs, validation_split=0.2, verbose=0)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
protocol.report(
    samples=int(len(x_train) * 0.8),
    epochs=epochs,
    parameters=model.count_params(),
    loss=loss,
    accuracy=accuracy,
)
