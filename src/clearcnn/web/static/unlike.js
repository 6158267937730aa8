import { ask } from "./ask.js";

const PAUSE = 200;

/**
 * Asks the server whether the newest image looks like none of the classes: when it has stayed for
 * a moment, and while the camera runs, once a moment.
 */
export class UnlikeFlag {
  constructor(place) {
    Object.assign(this, { place, number: 0, asked: 0, timer: null });
  }

  /** Claim nothing, until the next image. */
  clear() {
    this.number++;
    clearTimeout(this.timer);
    this.place.hidden = true;
  }

  /** Ask about an image; an answer that comes after a newer one's is dropped. */
  judge(address, pixels, { live = false } = {}) {
    clearTimeout(this.timer);
    const pause = live ? Math.max(0, this.asked + PAUSE - performance.now()) : PAUSE;
    this.timer = setTimeout(() => this.#ask(address, pixels), pause);
  }

  async #ask(address, pixels) {
    const mine = ++this.number;
    this.asked = performance.now();
    const options = {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: new Blob([pixels]),
    };
    // Without an answer, nothing is claimed.
    const found = await ask(`${address}/unlike`, options).catch(() => ({ is_unlike: false }));
    if (mine === this.number) this.place.hidden = !found.is_unlike;
  }
}
