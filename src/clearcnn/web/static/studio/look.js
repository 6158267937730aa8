import { post } from "../ask.js";
import { element, find } from "../element.js";
import { spoken, t } from "../language.js";
import { grouped, percent } from "../numbers.js";
import { tellProblem } from "../problems.js";

// The most serious first.
const KINDS = [
  "any",
  "unreadable",
  "empty",
  "other_label",
  "duplicate",
  "near_duplicate",
  "suspect",
];
// With more suspect labels than this share, the models are more likely wrong than the labels.
const MANY_SUSPECTS = 0.2;

/** The second step: what `check` finds, beside the pictures that it is about. */
export class Look {
  constructor(folder, sheet, { onfail, onbegin }) {
    Object.assign(this, { folder, sheet, found: null, kind: null, steps: 0, done: 0 });
    find("start-look").onclick = async () => {
      onfail(null);
      this.#busy(true);
      find("look-status").textContent = t("looking");
      try {
        onbegin(await post("studio/look"));
      } catch (error) {
        this.#busy(false);
        find("look-status").textContent = "";
        onfail(error);
      }
    };
    find("cancel-look").onclick = () => post("studio/cancel").catch(onfail);
  }

  /** Show an event of a check. */
  tell(event) {
    const status = find("look-status");
    this.#busy(!["end", "error", "cancelled"].includes(event.event));
    if (event.event === "reading") status.textContent = t("readingOf", event);
    if (event.event === "phase") Object.assign(this, { steps: event.steps, done: 0 });
    if (event.event === "step") this.done += 1;
    if (["phase", "step"].includes(event.event))
      status.textContent = t("lookingForSuspects", { done: this.done, steps: this.steps });
    if (event.event === "cancelled") status.textContent = t("cancelled");
    if (event.event === "error")
      status.replaceChildren(
        ...tellProblem(Object.assign(new Error(event.problem), event, { status: 422 })),
      );
    if (event.event === "end") {
      this.found = event;
      this.sheet.note(event.notes);
      this.show();
    }
  }

  show() {
    find("groups-tell").hidden = !this.folder.hasBursts;
    if (!this.found) return;
    const counts = this.#count();
    if (!this.isBusy)
      find("look-status").textContent = t("looked", {
        images: grouped(this.found.num_images),
        count: grouped(counts.any ?? 0),
      });
    this.#offerKinds(counts);
    const share = (counts.suspect ?? 0) / Math.max(1, this.found.num_images);
    find("findings").replaceChildren(
      ...(share > MANY_SUSPECTS
        ? [element("li", {}, t("manySuspects", { share: percent(share, 0) }))]
        : []),
      ...this.found.findings.map(({ is_problem: isProblem, sentence, names }) =>
        element(
          isProblem ? "li.problem" : "li",
          {},
          element("span", spoken(sentence), sentence),
          names.length ? element("span.note", {}, ` ${names.join(" · ")}`) : null,
        ),
      ),
    );
  }

  /** How many pictures that are still there have notes: kind → count; "any" are all of them. */
  #count() {
    const counts = {};
    for (const { name, pictures } of this.folder.classes)
      for (const file of pictures) {
        const kinds = new Set(this.sheet.notesOf(`${name}/${file}`).map(({ kind }) => kind));
        for (const kind of kinds.size ? ["any", ...kinds] : [])
          counts[kind] = (counts[kind] ?? 0) + 1;
      }
    return counts;
  }

  #offerKinds(counts) {
    const focused = document.activeElement?.dataset?.kind;
    const choose = (kind) => () => {
      this.kind = kind;
      this.sheet.filter(kind);
      this.show();
    };
    const button = (kind, text, count) =>
      element(
        "button.plain",
        {
          type: "button",
          dataset: { kind: kind ?? "" },
          "aria-pressed": String(kind === this.kind),
          onclick: choose(kind),
        },
        `${text} ${grouped(count)}`,
      );
    find("kinds").hidden = !counts.any && !this.kind;
    find("kinds").replaceChildren(
      button(null, t("kind_all"), this.folder.count),
      ...KINDS.filter((kind) => counts[kind] || kind === this.kind).map((kind) =>
        button(kind, t(`kind_${kind}`), counts[kind] ?? 0),
      ),
    );
    if (focused !== undefined) find("kinds").querySelector(`[data-kind="${focused}"]`)?.focus();
  }

  #busy(busy) {
    this.isBusy = busy;
    find("start-look").disabled = busy;
    find("cancel-look").hidden = !busy;
  }
}
