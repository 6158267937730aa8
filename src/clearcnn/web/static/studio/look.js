import { post } from "../ask.js";
import { element, find } from "../element.js";
import { spoken, t } from "../language.js";
import { grouped } from "../numbers.js";
import { tellProblem } from "../problems.js";

/** The second step: what `check` finds, beside the pictures that it is about. */
export class Look {
  constructor(folder, sheet, { onfail, onbegin }) {
    Object.assign(this, { folder, sheet, found: null, steps: 0, done: 0 });
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
    find("only-noted").onchange = ({ target }) => {
      sheet.onlyNoted = target.checked;
      sheet.show();
    };
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
    const count = Object.keys(this.found.notes).length;
    find("look-status").textContent = t("looked", {
      images: grouped(this.found.num_images),
      count: grouped(count),
    });
    find("findings").replaceChildren(
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

  #busy(busy) {
    find("start-look").disabled = busy;
    find("cancel-look").hidden = !busy;
  }
}
