import { t } from "./language.js";
import { percent } from "./numbers.js";

const WIDTH = 360,
  HEIGHT = 150,
  LEFT = 44,
  BOTTOM = 22;
const SVG = "http://www.w3.org/2000/svg";

const draw = (tag, attributes, text = "") => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};

/** A chart of accuracy by epoch, updated during training. */
export class Curve {
  constructor(place) {
    this.place = place;
    this.begin(1);
  }

  begin(epochs) {
    this.epochs = epochs;
    this.values = { accuracy: [], val_accuracy: [] };
    this.show();
  }

  add(metrics) {
    for (const [name, values] of Object.entries(this.values)) values.push(metrics[name]);
    this.show();
  }

  show() {
    const all = Object.values(this.values).flat();
    const low = all.length ? Math.max(0, Math.floor(Math.min(...all) * 10) / 10 - 0.0001) : 0;
    const x = (epoch) => LEFT + ((WIDTH - LEFT - 12) * epoch) / Math.max(1, this.epochs - 1);
    const y = (value) => 8 + (HEIGHT - BOTTOM - 8) * (1 - (value - low) / (1 - low || 1));
    const sheet = draw("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": t("curveTells"),
    });
    for (const share of [low, (low + 1) / 2, 1]) {
      sheet.append(
        draw("line", { x1: LEFT, x2: WIDTH - 12, y1: y(share), y2: y(share), class: "grid" }),
      );
      sheet.append(
        draw("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, percent(share, 0)),
      );
    }
    sheet.append(
      draw(
        "text",
        { x: WIDTH - 12, y: HEIGHT - 4, "text-anchor": "end" },
        t("epochsNumber", { count: this.epochs }),
      ),
    );
    Object.entries(this.values).forEach(([name, values]) => {
      const kind = name === "accuracy" ? "training" : "validation";
      const points = values.map((value, epoch) => `${x(epoch)},${y(value)}`).join(" ");
      sheet.append(draw("polyline", { points, class: `curve ${kind}` }));
      if (values.length)
        sheet.append(
          draw("circle", {
            cx: x(values.length - 1),
            cy: y(values.at(-1)),
            r: 4,
            class: `dot ${kind}`,
          }),
        );
    });
    this.place.replaceChildren(sheet);
  }
}
