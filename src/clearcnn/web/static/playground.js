import { Bars } from "./answer.js";
import { ask, post } from "./ask.js";
import { Curve } from "./curve.js";
import { element, find } from "./element.js";
import { language, t } from "./language.js";
import { LayersForm } from "./layers_form.js";
import { Model } from "./model.js";
import { grouped, percent, percentRange } from "./numbers.js";
import { Pace, roundSeconds } from "./pace.js";
import { tellProblem } from "./problems.js";
import { keep, keepJson, read, readJson } from "./state.js";

const CHECK_MILLISECONDS = 60;
const PREPARE_MILLISECONDS = 300;
const USUAL_EPOCHS = 15;
const ADDRESS = "page/playground";

/**
 * The playground: change the layers, see at once what becomes of them, train, and compare.
 *
 * `onmodel` gets the new Model after each training, or null; `onlook` asks to look inside one.
 */
export class Playground {
  constructor({ onmodel, onlook }) {
    Object.assign(this, { onmodel, onlook, attempts: [], number: null, wanted: 0, visit: 0 });
    this.form = new LayersForm(find("layers"), () => this.#changed());
    this.curve = new Curve(find("curve"));
    find("train").onclick = () => this.train();
    find("train-both").onclick = () => this.trainBoth();
    find("cancel").onclick = () => this.cancel();
    find("reset").onclick = () => this.#reset();
    find("epochs").oninput = () => {
      keep("epochs", find("epochs").value);
      this.#tellPace();
      this.#prepareSoon();
    };
    for (const button of document.querySelectorAll("[data-add]"))
      button.onclick = () => this.form.add(button.dataset.add);
  }

  /** Start with the layers of a run, or with those in the URL. */
  open(name, description) {
    this.leave();
    Object.assign(this, { name, description, pace: new Pace(description) });
    const shared = readJson("layers");
    this.form.set(shared ?? this.#own());
    find("epochs").value = read("epochs") ?? USUAL_EPOCHS;
    this.curve.begin(find("epochs").valueAsNumber || USUAL_EPOCHS);
    this.#check();
    this.watch?.disconnect();
    this.seen = false;
    this.watch = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      this.watch.disconnect();
      this.seen = true;
      this.#prepareSoon();
    });
    this.watch.observe(find("playground"));
  }

  /** Cancel the current run's training, and forget its attempts. */
  leave() {
    this.visit++;
    clearTimeout(this.preparing);
    if (this.number !== null) this.#end(this.number);
    this.unfollow?.();
    this.onmodel(null);
    for (const { model } of this.attempts) model.release();
    Object.assign(this, { attempts: [], bars: null, number: null, network: null });
    find("both").replaceChildren();
    this.#busy(false);
    this.#status("");
    this.#tellAttempts();
    delete document.body.dataset.attempts;
  }

  /** Rewrite all texts in the current language. */
  retell() {
    if (!this.description) return;
    this.form.set(this.form.layers);
    this.form.tell(this.network);
    this.form.blame(this.problem?.values?.position);
    this.#tellSums();
    if (!this.network) this.#check(); // The server tells its problem in the new language.
    this.curve.show();
    this.status?.();
    this.#tellAttempts();
    if (this.attempts.length) this.#makeBars(this.attempts[0].mlp);
  }

  /** Show no probabilities, while there is no image. */
  clear() {
    find("both").hidden = find("both-title").hidden = true;
  }

  /** Show an image's probabilities by the run's model and by the latest attempt. */
  compare(old, fresh) {
    if (!fresh || !this.bars) return;
    find("both").hidden = find("both-title").hidden = false;
    this.bars[0].show(old);
    this.bars[1].show(fresh);
  }

  async train({ mlp = false, against = null } = {}) {
    const { visit } = this;
    clearTimeout(this.preparing);
    this.#complain(null);
    this.#status("sending");
    this.#busy(true);
    try {
      const { number } = await post(`${ADDRESS}/attempts`, {
        ...this.#wanted(),
        equal_mlp: mlp,
        against,
      });
      if (visit !== this.visit) {
        this.#end(number);
        return false;
      }
      this.number = number;
      const found = await this.#follow(number, mlp);
      return Boolean(found) && (await this.#finish(number, { ...found, mlp, against }, visit));
    } catch (error) {
      if (visit === this.visit) this.#complain(error);
      return false;
    } finally {
      // Another run is shown by now.
      if (visit === this.visit) {
        this.number = null;
        this.#busy(false);
        this.#prepareSoon();
      }
    }
  }

  async trainBoth() {
    if (await this.train()) await this.train({ mlp: true, against: this.attempts[0].number });
  }

  cancel() {
    if (this.number !== null) this.#end(this.number);
    this.#status("cancelling");
  }

  /** Ask the server to cancel a training. If it cannot be reached, nothing is training. */
  #end(number) {
    fetch(`${ADDRESS}/attempts/${number}`, { method: "DELETE" }).catch(() => {});
  }

  #own() {
    return this.description.network.layers.map(({ layer, given }) => ({
      layer,
      arguments: { ...given },
    }));
  }

  #reset() {
    keepJson("layers", null);
    this.form.set(this.#own());
    this.#check();
  }

  #changed() {
    keepJson("layers", this.form.layers);
    clearTimeout(this.timer);
    // Nothing is prepared until the server has checked these layers.
    clearTimeout(this.preparing);
    this.network = null;
    this.timer = setTimeout(() => this.#check(), CHECK_MILLISECONDS);
  }

  /** Ask the server to check the layers; only the latest response is used. */
  async #check() {
    const wanted = ++this.wanted;
    try {
      const network = await post(`${ADDRESS}/check`, { run: this.name, layers: this.form.layers });
      if (wanted !== this.wanted) return;
      if (network.error) throw Object.assign(new Error(network.error), network);
      this.network = network;
      this.form.tell(network);
      this.form.blame(null);
      this.#complain(null);
      this.#prepareSoon();
    } catch (error) {
      if (wanted !== this.wanted) return;
      this.network = null;
      this.form.tell(null);
      this.form.blame(error.values?.position);
      this.#complain(error);
    }
    this.#tellSums();
    this.#busy(this.busy);
  }

  #complain(error) {
    this.problem = error;
    if (error) this.#status("");
    find("impossible").replaceChildren(...(error ? [element("p", {}, tellProblem(error))] : []));
  }

  #tellSums() {
    const network = this.network;
    find("sums").textContent = network
      ? t("sums", { parameters: grouped(network.parameters), adds: grouped(network.multiply_adds) })
      : t("impossible");
    this.#tellPace();
  }

  /** Say how long the training will take; while one runs, its status says how long it still does. */
  #tellPace() {
    const epochs = find("epochs").valueAsNumber || USUAL_EPOCHS;
    const seconds = this.network && !this.busy ? this.pace.seconds(this.network, epochs) : null;
    const told = (count) => {
      const [key, rounded] = roundSeconds(count);
      return t(`about.${key}`, { count: rounded });
    };
    find("estimate").textContent =
      seconds === null
        ? ""
        : t(this.pace.measured ? "estimateMeasured" : "estimate", {
            time: told(seconds),
            count: epochs,
            compiling: told(this.pace.compiling),
          });
  }

  #wanted() {
    const epochs = find("epochs").valueAsNumber || USUAL_EPOCHS;
    return { run: this.name, layers: this.form.layers, epochs };
  }

  /** Ask the server to compile the model ahead, once nothing has changed for a moment. */
  #prepareSoon() {
    clearTimeout(this.preparing);
    if (!this.seen || !this.network || this.busy) return;
    this.preparing = setTimeout(
      // Training works without, and reports what is wrong.
      () => post(`${ADDRESS}/prepare`, this.#wanted()).catch(() => {}),
      PREPARE_MILLISECONDS,
    );
  }

  /** Listen to a training; returns its last message, or null if it was cancelled or left. */
  #follow(number, mlp) {
    // An MLP of equal size has other layers, whose pace says nothing of these.
    const timing = mlp || !this.network ? null : this.pace.begin(this.network);
    return new Promise((resolve, reject) => {
      const source = new EventSource(`${ADDRESS}/attempts/${number}/events?lang=${language()}`);
      const told = {
        waiting: (found) => this.#status(`waiting.${found.for}`, { count: found.ahead }),
        begin: ({ epochs }) => (this.curve.begin(epochs), this.#status("compiling")),
        epoch: ({ epoch, metrics }) => {
          timing?.epoch();
          this.curve.add(metrics);
          this.#status("epochOf", {
            epoch: epoch + 1,
            count: this.curve.epochs,
            share: () => percent(metrics.val_accuracy),
          });
        },
        end: (found) => (timing?.end(), resolve(found)),
        cancelled: () => (this.#status("cancelled"), resolve(null)),
        error: (told) => reject(Object.assign(new Error(told.problem), told, { status: 500 })),
      };
      this.unfollow = () => (source.close(), resolve(null));
      source.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (["end", "cancelled", "error"].includes(message.event)) source.close();
        told[message.event](message);
      };
      source.onerror = () => {
        source.close();
        reject(new Error(t("lost")));
      };
    });
  }

  /** Load a trained network; returns whether its run is still shown. */
  async #finish(number, found, visit) {
    const address = `${ADDRESS}/attempts/${number}`;
    const { input, class_names: names } = this.description;
    const model = await Model.load(address, found.network, input, names);
    if (visit !== this.visit) {
      model.release();
      return false;
    }
    this.attempts.unshift({ ...found, number, model });
    this.#status("trainedIn", { seconds: found.seconds.toFixed(1), count: grouped(found.train) });
    this.#tellAttempts();
    this.#makeBars(found.mlp);
    this.onmodel(model);
    document.body.dataset.attempts = String(this.attempts.length);
    return true;
  }

  #makeBars(mlp) {
    const names = this.description.class_names;
    const places = [t("yourModel"), mlp ? t("theMlp") : t("newModel")].map((title) => {
      const place = element("div");
      return { place, box: element("figure", {}, element("figcaption", {}, title), place) };
    });
    find("both").replaceChildren(...places.map(({ box }) => box));
    this.bars = places.map(({ place }) => new Bars(place, names));
  }

  #tellAttempts() {
    find("results").hidden = !this.attempts.length;
    if (!this.attempts.length) return;
    const newest = this.attempts[0];
    const own = {
      score: newest.before,
      network: this.description.network,
      epochs: this.description.epochs,
      own: true,
    };
    const rows = [own, ...this.attempts];
    // The axis starts a little below the lowest interval, to make differences visible.
    const begin = Math.floor(20 * Math.min(...rows.map(({ score }) => score.interval.low))) / 20;
    find("axis").textContent = `${(100 * begin).toFixed(0)}–${percent(1, 0)}`;
    find("attempts").replaceChildren(...rows.map((each) => this.#row(each, begin)));
    const rival = this.attempts.find(({ number }) => number === newest.against) ?? own;
    const names = { name: this.#name(newest), other: this.#name(rival) };
    const p = newest.p_value.toFixed(newest.p_value < 0.1 ? 3 : 2);
    find("verdict").textContent =
      newest.p_value < 0.05
        ? t(newest.lead > 0 ? "better" : "worse", { ...names, p })
        : t("alike", { ...names, p, total: newest.score.total });
  }

  #name({ own, mlp, number }) {
    return own ? t("yourModel") : `${t(mlp ? "theMlp" : "newModel")} ${number}`;
  }

  #row(each, begin) {
    const { score, network, epochs, own, model } = each;
    const { low, high } = score.interval;
    const band = element("i.band"),
      mark = element("i.mark");
    const at = (share) => (100 * (share - begin)) / (1 - begin || 1);
    Object.assign(band.style, { left: `${at(low)}%`, width: `${at(high) - at(low)}%` });
    mark.style.left = `${at(score.accuracy)}%`;
    return element(
      own ? "tr.own" : "tr",
      {},
      element("th", { scope: "row" }, this.#name(each)),
      element("td.num", {}, element("b", {}, percent(score.accuracy))),
      element("td.num", {}, `${score.correct} / ${score.total}`),
      element("td.num", {}, percentRange(low, high)),
      element("td.spread", {}, element("span", {}, band, mark)),
      element("td.num", {}, grouped(network.parameters)),
      element("td.num", {}, String(epochs)),
      element(
        "td",
        {},
        own
          ? ""
          : element(
              "button.plain",
              { type: "button", onclick: () => this.onlook(model) },
              t("lookInside"),
            ),
      ),
    );
  }

  #busy(busy) {
    this.busy = busy;
    find("train").disabled = find("train-both").disabled = busy || !this.network;
    find("cancel").hidden = !busy;
    this.#tellPace();
  }

  /** Show a text by its key, again in every language; values may be functions. */
  #status(key, values = {}) {
    this.status = () => {
      const now = Object.entries(values).map(([name, value]) => [
        name,
        typeof value === "function" ? value() : value,
      ]);
      find("training-status").textContent = key && t(key, Object.fromEntries(now));
    };
    this.status();
  }
}

/** Whether the server has a playground, and which runs it shows. */
export const listModels = () => ask("page/models");
