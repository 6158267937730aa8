import { element } from "./element.js";
import { t } from "./language.js";
import { percent } from "./numbers.js";

/** A bar for each class's probability, in the order of the classes. */
export class Bars {
  constructor(place, classNames) {
    this.classNames = classNames;
    this.rows = classNames.map((name) => {
      const bar = element("i");
      const share = element("span.share");
      const row = element(
        "li",
        {},
        element("span.name", { title: name }, name),
        element("span.bar", {}, bar),
        share,
      );
      return { row, bar, share };
    });
    place.replaceChildren(
      element(
        "ul.bars",
        {},
        this.rows.map(({ row }) => row),
      ),
    );
  }

  show(probabilities) {
    const best = argmax(probabilities);
    this.rows.forEach(({ row, bar, share }, k) => {
      row.classList.toggle("best", k === best);
      bar.style.width = `${100 * probabilities[k]}%`;
      share.textContent = percent(probabilities[k], probabilities[k] > 0.9995 ? 0 : 1);
    });
    return best;
  }
}

export function argmax(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

/** The prediction as a sentence, shown and read by screen readers. */
export function tell(probabilities, classNames) {
  const best = argmax(probabilities);
  const share = probabilities[best];
  const kind = share >= 0.9 ? "sureVery" : share >= 0.6 ? "sureRather" : "sureHardly";
  return t(kind, { name: classNames[best], share: percent(share) });
}
