import { element } from "./element.js";
import { t } from "./language.js";
import { toBytes } from "./base64.js";
import { fromBytes, paint } from "./picture.js";

/** Test images to choose from; `onpick` gets the image with its pixels. */
export class Gallery {
  constructor(place, contract, classNames, onpick) {
    Object.assign(this, { place, contract, classNames, onpick, images: [] });
  }

  /** Fetch the images and show them, unless another run was chosen meanwhile. */
  async load(address, isWanted) {
    const { images, why } = await fetch(`${address}/images`).then((answer) => answer.json());
    if (!isWanted()) return;
    this.images = images.map((image) => ({
      ...image,
      pixels: fromBytes(
        toBytes(image.pixels.replaceAll("+", "-").replaceAll("/", "_")),
        this.contract,
      ),
    }));
    this.why = why;
    this.fill();
  }

  fill() {
    this.buttons = this.images.map((image, k) => {
      const sheet = element("canvas");
      paint(image.pixels, this.contract, sheet);
      const name = this.classNames[image.label];
      return element(
        "button",
        {
          type: "button",
          tabindex: k ? "-1" : "0",
          title: `${name} · ${image.name}`,
          "aria-label": t("testImage", { name, row: image.row }),
          onclick: () => this.onpick(image),
          onkeydown: (event) => this.#move(event, k),
        },
        sheet,
        element("span", {}, name),
      );
    });
    this.place.replaceChildren(...this.buttons);
    this.place.parentElement.hidden = !this.images.length;
  }

  mark(row) {
    this.buttons?.forEach((button, k) =>
      button.setAttribute("aria-pressed", this.images[k].row === row),
    );
  }

  #move(event, k) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && this.buttons[k + step];
    if (!next) return;
    event.preventDefault();
    this.buttons[k].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
