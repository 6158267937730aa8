// How long a training takes, by the pace of those before it.

const MOST_IMAGES = 10_000;

/**
 * Estimates seconds: at first by the run's own training, then by the latest one in the playground,
 * which ran on the server's computer and without augmentation.
 */
export class Pace {
  /** @param description what the server says of the run */
  constructor({ network, pace }) {
    this.compiling = pace?.compile_seconds ?? 0;
    this.images = Math.min(pace?.train ?? 0, MOST_IMAGES);
    this.measured = false;
    if (pace) this.#learn(network, pace.epochs, pace.seconds * (this.images / pace.train));
  }

  /** Time a training; its events call the methods of the result. */
  begin(network) {
    const start = performance.now();
    let first, last;
    let epochs = 0;
    return {
      epoch: () => {
        last = performance.now();
        first ??= last;
        epochs++;
      },
      end: () => {
        // The first epoch comes after compiling, and at once in short trainings.
        if (epochs > 1 && last > first) {
          this.#learn(network, epochs - 1, (last - first) / 1000);
          this.compiling = Math.max(0, (first - start) / 1000 - this.seconds(network, 1));
          this.measured = true;
        }
      },
    };
  }

  /** Seconds of training a network, without compiling; null if nothing is known. */
  seconds(network, epochs) {
    if (!this.perAdd) return null;
    return this.perAdd * network.multiply_adds * epochs;
  }

  #learn(network, epochs, seconds) {
    this.perAdd = seconds / epochs / Math.max(1, network.multiply_adds);
  }
}

/** Seconds, rounded to what an estimate is worth, as [key, count] of the text. */
export function roundSeconds(seconds) {
  if (seconds < 1.5) return ["second", 1];
  if (seconds < 10) return ["seconds", Math.round(seconds)];
  if (seconds < 90) return ["seconds", 5 * Math.round(seconds / 5)];
  if (seconds < 5400) return ["minutes", Math.round(seconds / 60)];
  return ["hours", Math.round(seconds / 360) / 10];
}
