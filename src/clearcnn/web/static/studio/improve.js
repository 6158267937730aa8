import { ask } from "../ask.js";
import { element, find } from "../element.js";
import { t } from "../language.js";
import { grouped, percentRange } from "../numbers.js";

/** The fourth step: every attempt with its interval, and whether it differs from the one before. */
export class Improve {
  constructor({ onshow }) {
    Object.assign(this, { onshow, attempts: [] });
  }

  async refresh() {
    this.attempts = await ask("studio/attempts");
    this.show();
  }

  show() {
    const rows = [...this.attempts].reverse();
    find("attempts-table").replaceChildren(
      rows.length
        ? element(
            "div.scroll",
            { tabindex: "0", role: "region", "aria-label": t("improveTitle") },
            element(
              "table.attempts",
              {},
              element("thead", {}, element("tr", {}, heads())),
              element("tbody", {}, rows.map((each, k) => this.#row(each, rows.length - k))),
            ),
          )
        : element("p.note", {}, t("noAttempts")),
    );
  }

  #row({ run, pictures, epochs, score, against, interrupted }, number) {
    const { low, high } = score.interval;
    return element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        element("button.plain", { type: "button", onclick: () => this.onshow(run) }, t("attemptNumber", { number })),
        element("span.note", {}, ` ${run}`),
      ),
      element("td.num", {}, grouped(pictures)),
      element("td.num", {}, `${grouped(epochs)}${interrupted ? " *" : ""}`),
      element("td.num", {}, element("b", {}, percentRange(low, high))),
      element("td.num", {}, `${grouped(score.correct)} / ${grouped(score.total)}`),
      element("td", {}, tellVerdict(against)),
    );
  }
}

/** Whether an attempt differs from the one before, in words. */
export function tellVerdict(against) {
  if (!against) return "–";
  const { verdict, total, lead, p_value: p } = against;
  return t(`verdict_${verdict}`, {
    total: grouped(total),
    lead: grouped(Math.abs(lead)),
    p: p.toFixed(p < 0.1 ? 3 : 2),
  });
}

const heads = () => [
  element("th", { scope: "col" }, t("attempt")),
  ...["pictures", "epochs", "interval", "right"].map((key) =>
    element("th.num", { scope: "col" }, t(key)),
  ),
  element("th", { scope: "col" }, t("againstBefore")),
];
