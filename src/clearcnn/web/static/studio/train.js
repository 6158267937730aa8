import { ask, post } from "../ask.js";
import { Curve } from "../curve.js";
import { find } from "../element.js";
import { t } from "../language.js";
import { grouped, percent } from "../numbers.js";
import { showResult } from "./result.js";

/** The third step: train with live curves, and see the result. */
export class Train {
  constructor({ onfail, onbegin, onend, onpicture }) {
    Object.assign(this, { onend, onpicture, onfail, curve: new Curve(find("curve")) });
    Object.assign(this, { result: null, wanted: null });
    find("training").onsubmit = async (event) => {
      event.preventDefault();
      onfail(null);
      this.#busy(true);
      this.#status(t("beginning"));
      const epochs = find("most-epochs").valueAsNumber;
      try {
        onbegin(
          await post("studio/train", {
            recipe: find("recipe").value,
            epochs: Number.isNaN(epochs) ? null : epochs,
            seed: find("seed").valueAsNumber || 0,
          }),
        );
      } catch (error) {
        this.#busy(false);
        this.#status("");
        onfail(error);
      }
    };
    find("cancel-train").onclick = () => {
      this.#status(t("cancelling"));
      post("studio/cancel").catch(onfail);
    };
  }

  /** Show an event of a training. */
  tell(event) {
    this.#busy(!["end", "error", "cancelled"].includes(event.event));
    const told = {
      reading: () => this.#status(t("readingOf", event)),
      data: () =>
        this.#status(
          t("splitInto", {
            train: grouped(event.train),
            validation: grouped(event.validation),
            test: grouped(event.test),
          }),
        ),
      model: () => this.#status(t("planned", { parameters: grouped(event.parameters) })),
      begin: () => {
        find("live").hidden = false;
        find("result").replaceChildren();
        this.curve.begin(event.epochs);
        this.since = null;
        this.#status(t("compiling"));
      },
      compiled: () => (this.since = event.seconds),
      epoch: () => this.#tellEpoch(event),
      cancelled: () => this.#status(t("cancelled")),
      error: () => {
        this.#status("");
        this.onfail(Object.assign(new Error(event.problem), event, { status: 422 }));
      },
      end: () => {
        find("progress").value = find("progress").max;
        this.#status(t("trained", { seconds: event.seconds.toFixed(0), run: event.run }));
        this.show(event.run).catch(this.onfail);
        this.onend(event.run);
      },
    };
    told[event.event]?.();
  }

  /** Show the result of a run. */
  async show(run) {
    this.wanted = run;
    const result = await ask(`studio/attempts/${encodeURIComponent(run)}`);
    if (this.wanted !== run) return;
    this.result = result;
    this.retell();
  }

  retell() {
    this.curve.show();
    if (this.result) find("result").replaceChildren(...showResult(this.result, this.onpicture));
  }

  #tellEpoch({ epoch, metrics, seconds }) {
    this.curve.add({ accuracy: metrics.accuracy, val_accuracy: metrics.val_accuracy ?? null });
    const { epochs } = this.curve;
    find("progress").max = epochs;
    find("progress").value = epoch + 1;
    const share = metrics.val_accuracy ?? metrics.accuracy;
    const left = ((seconds - (this.since ?? 0)) / (epoch + 1)) * (epochs - epoch - 1);
    this.#status(
      t("epochLeft", {
        epoch: epoch + 1,
        count: epochs,
        share: percent(share),
        seconds: Math.max(1, Math.round(left)),
      }),
    );
  }

  #busy(busy) {
    find("start-train").disabled = busy;
    find("cancel-train").hidden = !busy;
  }

  #status(text) {
    find("train-status").textContent = text;
  }
}
