import { ask } from "../ask.js";
import { element, find } from "../element.js";
import { t } from "../language.js";
import { grouped, percent } from "../numbers.js";
import { tellProblem } from "../problems.js";
import { thumbnail } from "./folder.js";

/**
 * One mistake and the pictures that the model finds most like it. Each can be relabelled.
 *
 * `onmove` gets (pictures, class), `onsheet` a picture; `onback` goes back to all mistakes.
 */
export class Mistake {
  constructor(folder, { onmove, onsheet, onback }) {
    Object.assign(this, { folder, onmove, onsheet, onback, place: find("mistake"), found: null });
    this.moved = new Map(); // Name at the time of the test → name now.
  }

  /** Show a mistake of a result. */
  async open(result, number) {
    Object.assign(this, { result, number, found: null, problem: null });
    this.show();
    this.place.focus({ preventScroll: true });
    await this.#ask();
  }

  close() {
    Object.assign(this, { result: null, found: null });
    this.place.hidden = true;
  }

  async #ask() {
    const { result, number } = this;
    const { name } = result.test.mistakes[number];
    const asked = new URLSearchParams({ picture: this.moved.get(name) ?? name });
    const address = `studio/attempts/${encodeURIComponent(result.run)}/neighbours?${asked}`;
    const isShown = () => this.result === result && this.number === number;
    try {
      const found = await ask(address);
      if (isShown()) this.found = found;
    } catch (error) {
      if (isShown()) this.problem = error;
    }
    this.show();
  }

  show() {
    this.place.hidden = !this.result;
    if (!this.result) return;
    const focused = document.activeElement?.dataset?.act;
    const { mistakes } = this.result.test;
    const { name, label, prediction, confidence } = mistakes[this.number];
    const now = this.moved.get(name) ?? name;
    const button = (act, onclick, text = t(act), disabled = false) =>
      element("button", { type: "button", dataset: { act }, onclick, disabled }, text);
    const step = (act, to) =>
      button(act, () => this.open(this.result, to), t(act), !mistakes[to]);
    const isThere = this.folder.has(now);
    this.place.replaceChildren(
      element(
        "p.presses",
        {},
        button("toMistakes", this.onback),
        step("previousMistake", this.number - 1),
        step("nextMistake", this.number + 1),
        element(
          "span.note",
          {},
          t("mistakeOf", { number: this.number + 1, count: grouped(mistakes.length) }),
        ),
      ),
      element(
        "div.mistake",
        {},
        isThere ? this.#card(now) : null,
        element(
          "div",
          {},
          element(
            "h3",
            {},
            t("mistakeTells", { label, prediction, share: percent(confidence, 0) }),
          ),
          element("p.note", {}, name),
          isThere
            ? button("onSheet", () => this.onsheet(now))
            : element("p", {}, t("movedSince")),
        ),
      ),
      ...(isThere ? [element("h3", {}, t("nearestTitle")), ...this.#neighbours()] : []),
    );
    if (focused) this.place.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  }

  #neighbours() {
    if (this.problem)
      return [element("p.problem", { role: "alert" }, ...tellProblem(this.problem))];
    if (!this.found) return [element("p.note", { role: "status" }, t("comparing"))];
    const { neighbours, num_compared: count } = this.found;
    return [
      element("p.note", {}, t("nearestTells", { count: grouped(count) })),
      element(
        "ul.neighbours",
        {},
        neighbours
          .map(({ picture }) => picture)
          .filter((picture) => this.folder.has(picture))
          .map((picture) => element("li", {}, this.#card(picture))),
      ),
    ];
  }

  /** A picture, with its class to choose. */
  #card(picture) {
    const [name] = picture.split("/");
    const choose = element(
      "select",
      {
        "aria-label": t("classOf", { name: picture }),
        dataset: { act: picture },
        onchange: ({ target }) => this.#relabel(picture, target.value),
      },
      this.folder.classes.map((each) =>
        element("option", { value: each.name, selected: each.name === name }, each.name),
      ),
    );
    return element(
      "div.card",
      { title: picture },
      element("img", { src: thumbnail(picture), alt: "", decoding: "async" }),
      choose,
    );
  }

  async #relabel(picture, name) {
    const [now] = (await this.onmove([picture], name)) ?? [picture];
    const { name: tested } = this.result.test.mistakes[this.number];
    if (picture === (this.moved.get(tested) ?? tested)) this.moved.set(tested, now);
    for (const each of this.found?.neighbours ?? [])
      if (each.picture === picture) each.picture = now;
    this.show();
    this.place.querySelector(`[data-act="${CSS.escape(now)}"]`)?.focus();
  }
}
