import { openCamera } from "./camera.js";
import { Crop } from "./crop.js";
import { find } from "./element.js";
import { fromSource } from "./picture.js";
import { readImage } from "./read_image.js";

const BEGINS_WHOLE = { file: true, camera: false };

/**
 * Images from elsewhere: opened, dropped, pasted or from the camera; in the view, with a crop.
 *
 * `onimage(levels, { live, name })` gets the model's pixels whenever image or crop change, and
 * returns a promise for which the camera waits; `onproblem(error, name)` gets an ImageError or
 * CameraError, and then nothing is shown; `onchange(kind)` when something else is shown: "file",
 * "camera", "still", "sample" or null; `onstop` when the user turns the camera off.
 */
export class PhotoInput {
  constructor({ onimage, onproblem, onchange, onstop }) {
    Object.assign(this, { onimage, onproblem, onchange, turn: 0, camera: null, shown: null });
    this.video = find("video");
    this.crop = new Crop(find("view"), { onchange: () => this.#cropped() });
    find("file").onchange = ({ target }) => {
      this.takeFile(target.files[0]);
      // So that the same file can be opened again.
      target.value = "";
    };
    find("paste").onclick = () => this.#paste();
    find("camera").onclick = () => this.#begin();
    find("take").onclick = () => this.#still();
    find("stop").onclick = onstop;
    find("turn").onclick = () => {
      this.facing = this.facing === "user" ? "environment" : "user";
      this.#begin();
    };
    for (const [id, whole] of [
      ["whole", true],
      ["crop", false],
    ])
      find(id).onchange = () => (this.crop.set({ whole }), this.#cropped());
    find("crop-size").oninput = ({ target }) => {
      this.crop.set({ scale: target.valueAsNumber / 100 });
      this.#cropped();
    };
    addEventListener("pagehide", () => this.camera?.close());
    this.#listenForFiles();
  }

  /** Show nothing; images are for this contract from now on, and none are taken without one. */
  open(contract) {
    this.contract = contract;
    this.close();
  }

  /** Turn the camera off and show nothing. */
  close() {
    this.turn++;
    this.#closeCamera();
    this.#show(null);
  }

  /** Show an image that the model has already, as a canvas. */
  showSample(sheet) {
    this.turn++;
    this.#closeCamera();
    this.#place(sheet, [sheet.width, sheet.height]);
    this.#show("sample");
  }

  async takeFile(file) {
    if (!file || !this.contract) return;
    const mine = ++this.turn;
    this.#closeCamera();
    try {
      const image = await readImage(file);
      if (mine === this.turn) await this.#showImage(image, "file", file.name);
      else image.close();
    } catch (error) {
      if (mine !== this.turn) return;
      this.close();
      this.onproblem(error, file.name);
    }
  }

  async #paste() {
    try {
      for (const item of await navigator.clipboard.read()) {
        const kind = item.types.find((type) => type.startsWith("image/"));
        if (kind) return this.takeFile(new File([await item.getType(kind)], kind.slice(6)));
      }
      this.onproblem({ kind: "nothingPasted" }, "");
    } catch {
      this.onproblem({ kind: "pasteDenied" }, "");
    }
  }

  async #begin() {
    if (!this.contract) return;
    const mine = ++this.turn;
    this.#closeCamera();
    try {
      const camera = await openCamera(this.video, {
        facing: this.facing,
        onend: () => (this.close(), this.onproblem({ kind: "none" }, "")),
      });
      if (mine !== this.turn) return camera.close();
      this.camera = camera;
      this.#show("camera", BEGINS_WHOLE.camera);
      this.#live(mine);
      const devices = await navigator.mediaDevices.enumerateDevices();
      find("turn").hidden = devices.filter(({ kind }) => kind === "videoinput").length < 2;
    } catch (error) {
      if (mine !== this.turn) return;
      this.close();
      this.onproblem(error, "");
    }
  }

  /** Predict frame after frame, as fast as the model allows. */
  async #live(mine) {
    const { video } = this;
    while (mine === this.turn && this.camera) {
      if (video.readyState >= video.HAVE_CURRENT_DATA) {
        this.#place(video, [video.videoWidth, video.videoHeight]);
        await this.#give({ live: true });
      }
      await new Promise(requestAnimationFrame);
    }
  }

  async #still() {
    const mine = ++this.turn;
    try {
      const image = await createImageBitmap(await this.camera.still());
      this.#closeCamera();
      if (mine === this.turn) await this.#showImage(image, "still", "");
    } catch (error) {
      this.close();
      this.onproblem(error, "");
    }
  }

  async #showImage(image, kind, name) {
    this.image?.close();
    this.image = image;
    this.#place(image, [image.width, image.height]);
    // A still keeps the frame that was chosen before the live camera.
    this.#show(kind, BEGINS_WHOLE[kind] ?? this.crop.whole);
    await this.#give({ name });
  }

  #place(source, size) {
    const [height, width] = this.contract.shape;
    this.crop.show(source, size, width / height);
  }

  #give(more) {
    if (!this.shown) return;
    const values = fromSource(this.crop.source, this.crop.region, this.contract);
    return this.onimage(values, more);
  }

  #cropped() {
    find("crop-size").value = String(Math.round(100 * this.crop.scale));
    find("crop-size").parentElement.hidden = this.crop.whole;
    // The live camera takes the new frame with its next image.
    if (!this.camera) this.#give({});
  }

  #show(kind, whole = true) {
    const focused = document.activeElement;
    if (kind !== "still") this.crop.set({ scale: 1, x: 0.5, y: 0.5 });
    this.shown = kind;
    this.crop.set({ whole });
    find(whole ? "whole" : "crop").checked = true;
    find("crop-size").value = String(Math.round(100 * this.crop.scale));
    find("crop-size").parentElement.hidden = whole;
    find("view").hidden = !kind;
    find("framing").hidden = find("view-keys").hidden = !kind || kind === "sample";
    const live = kind === "camera";
    for (const id of ["take", "stop"]) find(id).hidden = !live;
    find("camera").hidden = live;
    if (!live) find("turn").hidden = true;
    if (!kind) {
      this.image?.close();
      this.image = this.crop.source = null;
    }
    this.onchange(kind);
    // A button that disappears when it is pressed passes the focus on.
    if (focused?.hidden) find(live ? "take" : "camera").focus();
  }

  #closeCamera() {
    this.camera?.close();
    this.camera = null;
  }

  #listenForFiles() {
    const mark = (on) => document.body.classList.toggle("dropping", on);
    addEventListener("paste", (event) => this.takeFile([...event.clipboardData.files][0]));
    addEventListener("dragover", (event) => (event.preventDefault(), mark(true)));
    addEventListener("dragleave", (event) => event.relatedTarget ?? mark(false));
    addEventListener("drop", (event) => {
      event.preventDefault();
      mark(false);
      this.takeFile(event.dataTransfer.files[0]);
    });
  }
}
