import { ask, post } from "../ask.js";
import { Curve } from "../curve.js";
import { element, find } from "../element.js";
import { language, t } from "../language.js";
import { grouped, percent } from "../numbers.js";
import { showResult } from "./result.js";

const MEASURE_MILLISECONDS = 700;
const BUDGET_MINUTES = [1, 2, 5, 15, 60];

/** The third step: train with live curves, and see the result. */
export class Train {
  constructor(folder, { onfail, onbegin, onend, onpicture, isShown }) {
    Object.assign(this, { folder, onend, onpicture, onfail, isShown });
    this.curve = new Curve(find("curve"));
    Object.assign(this, { result: null, wanted: null, told: () => "" });
    find("training").onsubmit = async (event) => {
      event.preventDefault();
      onfail(null);
      this.#busy(true);
      this.#status(() => t("beginning"));
      const epochs = find("most-epochs").valueAsNumber;
      try {
        onbegin(
          await post("studio/train", {
            budget: Number(find("budget").value) || null,
            epochs: Number.isNaN(epochs) || find("most-epochs").disabled ? null : epochs,
            seed: find("seed").valueAsNumber || 0,
          }),
        );
      } catch (error) {
        this.#busy(false);
        this.#status(() => "");
        onfail(error);
      }
    };
    find("budget").onchange = () => {
      find("most-epochs").disabled = Boolean(find("budget").value);
      this.estimate();
    };
    find("most-epochs").onchange = () => this.estimate();
    find("cancel-train").onclick = () => {
      this.#status(() => t("cancelling"));
      post("studio/cancel").catch(onfail);
    };
  }

  /**
   * Say how long a training will take. Before the first attempt that is measured, once for each
   * state of the folder.
   */
  async estimate() {
    const asking = (this.asking = {});
    const place = find("estimate");
    if (find("budget").value) {
      place.textContent = t("estimateBudget");
      return;
    }
    const epochs = find("most-epochs").valueAsNumber;
    const address = `studio/estimate${Number.isNaN(epochs) ? "" : `?epochs=${Math.round(epochs)}`}`;
    let found = await ask(address).catch(() => null);
    if (!found && asking === this.asking && (await this.#measure()))
      found = { basis: "measuring" };
    while (found?.basis === "measuring" && asking === this.asking) {
      place.textContent = t("measuring");
      await new Promise((resolve) => setTimeout(resolve, MEASURE_MILLISECONDS));
      found = await ask(address).catch(() => null);
    }
    // The measurement was cancelled or failed: the next time, another one may begin.
    if (!found && asking === this.asking) this.measured = null;
    if (asking === this.asking)
      place.textContent = found
        ? t(found.basis === "attempt" ? "estimateAttempt" : "estimateMeasured", {
            time: tellTime(found.seconds),
          })
        : "";
  }

  /** Begin to measure, if that is of use now; whether it was begun. */
  async #measure() {
    const { version } = this.folder;
    const isSeen = this.isShown() && !document.hidden;
    if (!isSeen || this.isBusy || !version || this.measured === version) return false;
    this.measured = version;
    try {
      await post("studio/measure", { seed: find("seed").valueAsNumber || 0 });
      return true;
    } catch {
      return false; // Too few pictures, or busy: nothing to estimate now.
    }
  }

  #offerBudgets() {
    const { value } = find("budget");
    find("budget").replaceChildren(
      ...[0, ...BUDGET_MINUTES].map((count) =>
        element(
          "option",
          { value: count ? String(60 * count) : "", selected: String(60 * count) === value },
          count ? t("budgetMinutes", { count }) : t("noBudget"),
        ),
      ),
    );
  }

  /** Show an event of a training. */
  tell(event) {
    this.#busy(!["end", "error", "cancelled"].includes(event.event));
    const told = {
      reading: () => this.#status(() => t("readingOf", event)),
      data: () =>
        this.#status(() =>
          t("splitInto", {
            train: grouped(event.train),
            validation: grouped(event.validation),
            test: grouped(event.test),
          }),
        ),
      // Stays, since the next events follow within milliseconds.
      work: () => (find("train-plan").textContent = event.sentence),
      model: () => this.#status(() => t("planned", { parameters: grouped(event.parameters) })),
      begin: () => {
        find("live").hidden = false;
        find("result").replaceChildren();
        this.curve.begin(event.epochs);
        this.since = null;
        this.#status(() => t("compiling"));
      },
      compiled: () => (this.since = event.seconds),
      epoch: () => this.#tellEpoch(event),
      cancelled: () => {
        this.#status(() => t("cancelled"));
        this.estimate();
      },
      error: () => {
        this.#status(() => "");
        this.onfail(Object.assign(new Error(event.problem), event, { status: 422 }));
        this.estimate();
      },
      end: () => {
        find("progress").value = find("progress").max;
        this.#status(() => t("trained", { seconds: event.seconds.toFixed(0), run: event.run }));
        this.show(event.run).catch(this.onfail);
        this.onend(event.run);
        this.estimate();
      },
    };
    told[event.event]?.();
  }

  /** Show the result of a run. */
  async show(run) {
    this.wanted = run;
    const result = await ask(`studio/attempts/${encodeURIComponent(run)}`);
    if (this.wanted !== run) return;
    Object.assign(this, { result, spoken: language() });
    this.draw();
  }

  /** Show everything in the page's language; the server has the sentences of the result. */
  async retell() {
    this.#offerBudgets();
    this.estimate();
    this.#status(this.told);
    if (find("train-plan").textContent) await this.#retellPlan();
    if (this.result && this.spoken !== language()) await this.show(this.result.run);
    this.draw();
  }

  async #retellPlan() {
    const job = await ask("studio/job");
    const event = job?.kind === "train" && job.events.find((each) => each.event === "work");
    if (event) find("train-plan").textContent = event.sentence;
  }

  draw() {
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
    this.#status(() =>
      t("epochLeft", {
        epoch: epoch + 1,
        count: epochs,
        share: percent(share),
        seconds: Math.max(1, Math.round(left)),
      }),
    );
  }

  #busy(busy) {
    if (busy && !this.isBusy) find("train-plan").textContent = "";
    this.isBusy = busy;
    find("start-train").disabled = busy;
    find("cancel-train").hidden = !busy;
  }

  /** Show a text; `tell` returns it in the page's language. */
  #status(tell) {
    this.told = tell;
    find("train-status").textContent = tell();
  }
}

/** A time, rounded up to what an estimate is worth. */
function tellTime(seconds) {
  if (seconds < 100) return t("seconds", { count: Math.max(5, 5 * Math.ceil(seconds / 5)) });
  return t("minutes", { count: grouped(Math.ceil(seconds / 60)) });
}
