import { Bars, tell } from "./answer.js";
import { find } from "./element.js";
import { t } from "./language.js";
import { tellProblem } from "./problems.js";
import { UnlikeFlag } from "./unlike.js";

const LONG_NAME = 3;
const parts = ["computed", "bars"];

/**
 * The prediction, or what it waits for, or why there is none.
 *
 * `body` says the same to tests: `data-ready` once a model is loaded, `data-answer` while there is
 * a prediction, `data-milliseconds` how long it took.
 */
export class AnswerPanel {
  constructor() {
    Object.assign(this, { unlike: new UnlikeFlag(find("unlike")), waiting: ["loading"] });
    this.refused = null;
  }

  open(classNames) {
    this.classNames = classNames;
    this.bars = new Bars(find("bars"), classNames);
  }

  /** Show no prediction but a text, by its key and values. */
  clear(key, values = {}) {
    this.waiting = [key, values];
    this.unlike.clear();
    find("answer").textContent = "\u00a0";
    find("sentence").textContent = t(key, values);
    for (const id of parts) find(id).hidden = true;
    find("seen").parentElement.hidden = find("polarity").hidden = true;
    delete document.body.dataset.answer;
  }

  /** Say why there is no image, below the text that `clear` showed. */
  refuse(key, values) {
    this.refused = [key, values];
    find("problem").textContent = t(key, values);
  }

  /** Report an error of the server or the model, after a text of this page. */
  fail(error, ...lead) {
    find("problem").replaceChildren(...lead, ...tellProblem(error));
  }

  /** Take back what was refused. */
  accept() {
    this.refused = null;
    find("problem").textContent = "";
  }

  /** Show probabilities; `label` is the right class or null, `since` when the image came, or 0. */
  show(probabilities, { label, since }) {
    const name = this.classNames[this.bars.show(probabilities)];
    this.waiting = null;
    find("answer").textContent = name;
    find("answer").classList.toggle("long", name.length > LONG_NAME);
    find("sentence").textContent = tell(probabilities, this.classNames) + this.#judge(name, label);
    for (const id of parts) find(id).hidden = false;
    document.body.dataset.answer = name;
    if (!since) return;
    const milliseconds = performance.now() - since;
    document.body.dataset.milliseconds = milliseconds.toFixed(1);
    const rounded = Math.max(1, Math.round(milliseconds));
    find("speed").textContent = t("speed", { milliseconds: rounded });
  }

  /** Rewrite what no new prediction rewrites in the current language. */
  retell() {
    if (this.waiting) find("sentence").textContent = t(...this.waiting);
    if (this.refused) this.refuse(...this.refused);
  }

  #judge(name, label) {
    if (label === null) return "";
    const right = this.classNames[label];
    return ` ${t(name === right ? "labelRight" : "labelWrong", { name: right })}`;
  }
}
