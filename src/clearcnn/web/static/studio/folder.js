import { ask, post } from "../ask.js";

const POLL_MILLISECONDS = 1000;

/**
 * The class folder as the server has it, for every part of the page.
 *
 * Other tabs and programs may change it too, so it is asked for once a second while the page is
 * visible, and after each own change.
 */
export class Folder {
  constructor({ onchange, onfail }) {
    Object.assign(this, { onchange, onfail, version: "", classes: [], root: "" });
    Object.assign(this, { canUndo: false, hasBursts: false, job: null, asking: null });
  }

  /** Ask now and then whether something has changed. */
  watch() {
    const look = async () => {
      if (!document.hidden) await this.refresh().catch(this.onfail);
      setTimeout(look, POLL_MILLISECONDS);
    };
    document.addEventListener("visibilitychange", () => this.refresh().catch(this.onfail));
    return look();
  }

  async refresh() {
    const state = await ask(`studio/state?known=${encodeURIComponent(this.version)}`);
    const job = JSON.stringify(state.job);
    const isNew = state.version !== this.version || job !== JSON.stringify(this.job);
    this.job = state.job;
    if (state.version !== this.version && state.classes) {
      this.version = state.version;
      this.classes = state.classes;
      this.pictures = null;
      this.root = state.root;
      this.canUndo = state.can_undo;
      this.hasBursts = state.has_bursts;
      this.fewestPictures = state.fewest_pictures;
      this.fewestScenes = state.fewest_scenes;
    }
    if (isNew) this.onchange();
  }

  get count() {
    return this.classes.reduce((sum, { pictures }) => sum + pictures.length, 0);
  }

  has(picture) {
    this.pictures ??= new Set(
      this.classes.flatMap(({ name, pictures }) => pictures.map((file) => `${name}/${file}`)),
    );
    return this.pictures.has(picture);
  }

  /** The picture that a sentence names, if it names one: "wildcat/1.png", and not "cat/1.png". */
  findNamed(sentence) {
    let longest = null;
    for (const { name, pictures } of this.classes)
      if (sentence.includes(`${name}/`))
        for (const file of pictures) {
          const picture = `${name}/${file}`;
          if (picture.length > (longest?.length ?? 0) && sentence.includes(picture)) longest = picture;
        }
    return longest;
  }

  /** Keep a picture; it is on the disk when this resolves. */
  async add(className, blob, name, { burst = null, batch = "" } = {}) {
    const asked = new URLSearchParams({ class_name: className, name, batch });
    if (burst) asked.set("burst", burst);
    const { picture } = await ask(`studio/pictures?${asked}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: blob,
    });
    const [, file] = split(picture);
    const found = this.classes.find((each) => each.name === className);
    // The sheet shows it at once; the next refresh puts it into its order.
    if (found && !found.pictures.includes(file)) found.pictures = [...found.pictures, file];
    this.pictures = null;
    return picture;
  }

  makeClass = (name) => this.#change("studio/classes", { name });
  renameClass = (name, wanted) => this.#change("studio/classes/rename", { name, new: wanted });
  removeClass = (name) => this.#change("studio/classes/remove", { name });
  move = (pictures, name) => this.#change("studio/move", { pictures, name });
  remove = (pictures) => this.#change("studio/remove", { pictures });
  undo = () => this.#change("studio/undo", {});
  addSource = (source, batch) => this.#change("studio/sources", { source, batch });

  async #change(address, body) {
    try {
      return await post(address, body);
    } finally {
      await this.refresh().catch(this.onfail);
    }
  }
}

/** The class and the file's name of a picture. */
export function split(picture) {
  const at = picture.indexOf("/");
  return [picture.slice(0, at), picture.slice(at + 1)];
}

/** The address of a picture. */
export const thumbnail = (picture) => `studio/thumbnail?picture=${encodeURIComponent(picture)}`;

/** A new identifier for a burst or a batch: the time, and two random letters. */
export function makeId() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const [random] = crypto.getRandomValues(new Uint8Array(1));
  return `${day}-${time}-${random.toString(16).padStart(2, "0")}`;
}
