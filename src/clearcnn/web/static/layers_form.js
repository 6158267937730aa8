import { element } from "./element.js";
import { t } from "./language.js";
import { grouped, times } from "./numbers.js";
import { parseSides, stepSides, writeSides } from "./sides.js";

// The arguments of each layer that can be changed: [argument, kind, ...].
const COUNT = ["number", 1, 512];
const SIDES = ["sides"];
const PADDING = ["choice", ["valid", "same"]];
const ACTIVATION = ["choice", ["relu", "tanh", "sigmoid", "linear", "elu", "gelu", "silu"]];
const CONTROLS = {
  Conv2D: {
    filters: COUNT,
    kernel_size: SIDES,
    strides: SIDES,
    padding: PADDING,
    activation: ACTIVATION,
  },
  SeparableConv2D: {
    filters: COUNT,
    kernel_size: SIDES,
    strides: SIDES,
    padding: PADDING,
    activation: ACTIVATION,
  },
  DepthwiseConv2D: { kernel_size: SIDES, strides: SIDES, padding: PADDING, activation: ACTIVATION },
  MaxPooling2D: { pool_size: SIDES, strides: SIDES, padding: PADDING },
  AveragePooling2D: { pool_size: SIDES, strides: SIDES, padding: PADDING },
  Dense: { units: COUNT, activation: ACTIVATION },
  Dropout: { rate: ["number", 0, 0.9, 0.1] },
  Activation: { activation: ACTIVATION },
};
const POOLINGS = ["MaxPooling2D", "AveragePooling2D"];

const FRESH = {
  Conv2D: { filters: 16, kernel_size: 3, padding: "same", activation: "relu" },
  MaxPooling2D: { pool_size: 2 },
  Dense: { units: 32, activation: "relu" },
  Dropout: { rate: 0.3 },
};

/** The layers as a form; `onchange` gets the new list whenever one is changed. */
export class LayersForm {
  constructor(place, onchange) {
    Object.assign(this, { place, onchange, layers: [] });
  }

  set(layers) {
    this.layers = layers;
    this.rows = layers.map((layer, k) => this.#row(layer, k));
    this.place.replaceChildren(...this.rows.map(({ row }) => row));
  }

  /** Show what the server computed for each layer; null if the model is invalid. */
  tell(network) {
    this.rows.forEach(({ told }, k) => {
      const layer = network?.layers[k];
      told.replaceChildren(
        ...(layer
          ? [
              element("b", {}, times(layer.output_shape)),
              element("span", {}, t("parameters", { count: grouped(layer.parameters) })),
              element("span", {}, t("sees", { size: times(layer.receptive_field) })),
            ]
          : []),
      );
    });
  }

  /** Mark the layer that an error names, counted from 1; null marks none. */
  blame(position) {
    this.rows.forEach(({ row }, k) => row.classList.toggle("wrong", k + 1 === position));
  }

  add(kind) {
    const layers = [...this.layers];
    const flat = layers.findIndex(({ layer }) => layer === "Flatten" || layer.startsWith("Global"));
    const last = layers.length - 1;
    const at = kind === "Conv2D" || kind === "MaxPooling2D" ? (flat < 0 ? last : flat) : last;
    layers.splice(at, 0, { layer: kind, arguments: { ...FRESH[kind] } });
    this.#change(layers);
  }

  #change(layers) {
    this.set(layers);
    this.onchange(layers);
  }

  #row(layer, k) {
    const last = k === this.layers.length - 1;
    const controls = Object.entries(CONTROLS[layer.layer] ?? {})
      .filter(([name]) => !(last && ["units", "activation"].includes(name)))
      .map(([name, kind]) => this.#control(layer, k, name, kind));
    const told = element("span.told");
    const title = POOLINGS.includes(layer.layer)
      ? this.#choice(t("kindOfPooling"), POOLINGS, layer.layer, (kind) =>
          this.#replace(k, { ...layer, layer: kind }),
        )
      : element("b.kind", {}, layer.layer);
    const remove =
      last || layer.layer === "Flatten"
        ? null
        : element(
            "button.plain",
            {
              type: "button",
              title: t("remove"),
              "aria-label": t("removeLayer", { number: k + 1, layer: layer.layer }),
              onclick: () => this.#change(this.layers.filter((_, j) => j !== k)),
            },
            "✕",
          );
    const row = element("li", {}, title, element("span.controls", {}, controls), told, remove);
    return { row, told };
  }

  #control(layer, k, name, [kind, ...bounds]) {
    const given = layer.arguments[name];
    const label = t(`argument.${name}`);
    const fallback =
      name === "strides"
        ? (layer.arguments.pool_size ?? (POOLINGS.includes(layer.layer) ? 2 : 1))
        : name === "padding"
          ? "valid"
          : name === "activation"
            ? "linear"
            : name === "pool_size"
              ? 2
              : 1;
    const change = (value) =>
      this.#replace(k, { ...layer, arguments: { ...layer.arguments, [name]: value } }, false);
    if (kind === "choice")
      return element(
        "label",
        {},
        label,
        this.#choice(`${layer.layer}: ${label}`, bounds[0], given ?? fallback, change),
      );
    if (kind === "sides")
      return element(
        "label",
        {},
        label,
        element("input", {
          type: "text",
          autocomplete: "off",
          spellcheck: "false",
          "aria-describedby": "sides-hint",
          value: writeSides(given ?? fallback),
          oninput: (event) => event.target.value.trim() && change(parseSides(event.target.value)),
          onkeydown: (event) => {
            const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
            if (!by) return;
            event.preventDefault();
            const sides = stepSides(parseSides(event.target.value), by);
            event.target.value = writeSides(sides);
            change(sides);
          },
        }),
      );
    const [min, max, step = 1] = bounds;
    return element(
      "label",
      {},
      label,
      element("input", {
        type: "number",
        min: String(min),
        max: String(max),
        step: String(step),
        value: String(given ?? fallback),
        oninput: (event) => event.target.value !== "" && change(event.target.valueAsNumber),
      }),
    );
  }

  #choice(label, choices, chosen, change) {
    const all = choices.includes(chosen) ? choices : [...choices, chosen];
    return element(
      "select",
      { "aria-label": label, onchange: (event) => change(event.target.value) },
      all.map((choice) =>
        element("option", { value: choice, selected: choice === chosen }, choice),
      ),
    );
  }

  /** Without `anew` the row keeps its controls, so that typing is not interrupted. */
  #replace(k, layer, anew = true) {
    const layers = this.layers.map((each, j) => (j === k ? layer : each));
    if (anew) return this.#change(layers);
    Object.assign(this.layers[k], layer);
    this.onchange(this.layers);
  }
}
