import { openCamera } from "../camera.js";
import { find } from "../element.js";
import { t } from "../language.js";
import { tellProblem } from "../problems.js";
import { makeId } from "./folder.js";

const SIDE = 256;
const BURST = 12;
const BETWEEN_MILLISECONDS = 150;

/**
 * The camera, for one class. Each picture, or burst, that is taken of one scene is a group.
 *
 * Pictures are the middle square of the camera's, reduced to 256 pixels: training reads at most 96
 * unless it is told otherwise.
 */
export class CameraDialog {
  constructor(folder, onadded) {
    Object.assign(this, { folder, onadded, facing: "environment", count: 0, camera: null });
    this.dialog = find("camera");
    find("take-one").onclick = () => this.#take(1);
    find("take-burst").onclick = () => this.#take(BURST);
    find("turn-camera").onclick = () => this.#turn();
    find("close-camera").onclick = () => this.dialog.close();
    this.dialog.onclose = () => {
      this.camera?.close();
      this.camera = null;
    };
  }

  async open(name) {
    Object.assign(this, { name, count: 0 });
    this.retell();
    find("taken").textContent = "";
    this.dialog.showModal();
    await this.#start();
  }

  retell() {
    if (this.name) find("camera-title").textContent = t("cameraTitle", { name: this.name });
  }

  async #turn() {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.camera?.close();
    await this.#start();
  }

  async #start() {
    this.#complain("");
    this.#enable(false);
    try {
      const camera = await openCamera(find("video"), {
        facing: this.facing,
        onend: () => this.#complain(t("camera_none")),
      });
      if (!this.dialog.open) {
        camera.close();
        return;
      }
      this.camera = camera;
      this.#enable(true);
      find("take-one").focus();
    } catch (error) {
      this.#complain(t(`camera_${error.kind ?? "none"}`));
    }
  }

  async #take(count) {
    this.#enable(false);
    this.#complain("");
    const batch = makeId();
    try {
      for (let k = 0; k < count && this.camera; k++) {
        const begin = performance.now();
        const still = await crop(await this.camera.still());
        const picture = await this.folder.add(this.name, still, "camera.png", {
          burst: batch,
          batch,
        });
        this.onadded(picture, begin);
        this.count += 1;
        find("taken").textContent = t("takenSoFar", { count: this.count });
        if (k + 1 < count) await wait(BETWEEN_MILLISECONDS - (performance.now() - begin));
      }
      await this.folder.refresh();
    } catch (error) {
      this.#complain(...(error.kind ? [t(`camera_${error.kind}`)] : tellProblem(error)));
    } finally {
      this.#enable(Boolean(this.camera));
    }
  }

  #enable(on) {
    const focused = document.activeElement;
    for (const id of ["take-one", "take-burst"]) find(id).disabled = !on;
    if (on && (focused === document.body || focused === this.dialog)) find("take-one").focus();
  }

  #complain(...parts) {
    find("camera-problem").replaceChildren(...parts);
  }
}

/** The middle square of a picture, reduced. */
async function crop(still) {
  const image = await createImageBitmap(still);
  const side = Math.min(image.width, image.height);
  const sheet = new OffscreenCanvas(SIDE, SIDE);
  const place = sheet.getContext("2d");
  place.imageSmoothingQuality = "high";
  const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
  place.drawImage(image, left, top, side, side, 0, 0, SIDE, SIDE);
  image.close();
  return sheet.convertToBlob({ type: "image/png" });
}

const wait = (milliseconds) =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
