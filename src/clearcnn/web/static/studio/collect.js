import { element, find } from "../element.js";
import { t } from "../language.js";
import { grouped } from "../numbers.js";
import { tellProblem } from "../problems.js";
import { CameraDialog } from "./camera_dialog.js";
import { makeId } from "./folder.js";

const AT_ONCE = 3;
const IMAGES = "image/*,.tif,.tiff,.avif,.ppm,.pgm,.pbm";

/** The first step: classes, and pictures for them from files, the clipboard and the camera. */
export class Collect {
  constructor(folder, { onfail, onadded }) {
    Object.assign(this, { folder, onfail, onadded, chosen: null, waiting: 0 });
    this.camera = new CameraDialog(folder, onadded);
    find("new-class").onsubmit = (event) => {
      event.preventDefault();
      this.#try(async () => {
        const { name } = await folder.makeClass(find("class-name").value);
        find("class-name").value = "";
        this.chosen = name;
      });
    };
    find("add-source").onsubmit = (event) => {
      event.preventDefault();
      this.#try(async () => {
        find("adding").textContent = t("readingSource", { source: find("source").value });
        const { count } = await folder.addSource(find("source").value, makeId());
        find("adding").textContent = t("sourceAdded", { count: grouped(count) });
      }, find("add-source"));
    };
    addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.#light(event.target.closest?.("[data-class]"));
    });
    addEventListener("dragleave", (event) => event.relatedTarget ?? this.#light(null));
    addEventListener("drop", (event) => this.#drop(event));
    addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) this.#addFiles(files.map((file) => ({ file, path: file.name })));
    });
  }

  show() {
    const { classes } = this.folder;
    if (!classes.some(({ name }) => name === this.chosen)) this.chosen = classes[0]?.name ?? null;
    const focused = document.activeElement?.dataset?.act;
    find("classes").replaceChildren(...classes.map((each) => this.#row(each)));
    if (focused) find("classes").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
    this.camera.retell();
  }

  #row({ name, pictures, scenes }) {
    const button = (kind, act, properties = {}) =>
      element(
        "button",
        { type: "button", dataset: { act: `${kind} ${name}` }, onclick: act, ...properties },
        t(kind),
        element("span.away", {}, ` ${name}`),
      );
    const files = element("input.away", {
      type: "file",
      multiple: true,
      accept: IMAGES,
      "aria-label": `${t("addFiles")} ${name}`,
      dataset: { act: `files ${name}` },
      onchange: ({ target }) => {
        this.chosen = name;
        this.#addFiles([...target.files].map((file) => ({ file, path: file.name })));
        target.value = "";
      },
    });
    const { hasBursts, fewestScenes, fewestPictures } = this.folder;
    const few = pictures.length < fewestPictures || (hasBursts && scenes < fewestScenes);
    const count = t("countPictures", { count: grouped(pictures.length) });
    return element(
      name === this.chosen ? "li.chosen" : "li",
      { dataset: { class: name } },
      element(
        "label.name",
        {},
        element("input", {
          type: "radio",
          name: "class",
          checked: name === this.chosen,
          dataset: { act: `choose ${name}` },
          onchange: () => ((this.chosen = name), this.show()),
        }),
        " ",
        element("b", {}, name),
      ),
      element(
        few ? "span.note.few" : "span.note",
        {},
        hasBursts ? t("countScenes", { pictures: count, count: grouped(scenes) }) : count,
      ),
      element(
        "span.acts",
        {},
        button("openCamera", () => ((this.chosen = name), this.camera.open(name))),
        element("label.button", {}, files, t("addFiles")),
        button("rename", () => this.#rename(name)),
        button("removeClass", () => this.#try(() => this.folder.removeClass(name))),
      ),
    );
  }

  #rename(name) {
    const row = find("classes").querySelector(`[data-class="${CSS.escape(name)}"] .name`);
    const field = element("input", { "aria-label": t("newName"), maxLength: 60 });
    field.value = name;
    const end = (wanted) => {
      field.onblur = null;
      if (wanted && wanted !== name)
        this.#try(async () => {
          const renamed = await this.folder.renameClass(name, wanted);
          if (this.chosen === name) this.chosen = renamed.name;
        });
      else this.show();
    };
    field.onkeydown = ({ key }) => {
      if (key === "Enter") end(field.value);
      if (key === "Escape") end(null);
    };
    field.onblur = () => end(field.value);
    row.replaceWith(field);
    field.select();
  }

  async #drop(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.#light(null);
    const place = event.target.closest?.("[data-class]")?.dataset.class;
    // All at once: what was dropped is gone after the first pause.
    const dropped = [...event.dataTransfer.items]
      .filter(({ kind }) => kind === "file")
      .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
    const found = [];
    for (const each of dropped)
      if (each instanceof File) found.push({ file: each, path: each.name });
      else if (each) await collect(each, "", found);
    await this.#addFiles(found, place ?? null);
  }

  /** Add files: to a class, or, if folders were dropped, each to the class of its folder. */
  async #addFiles(found, place = null) {
    const batch = makeId();
    const refused = [];
    let added = 0;
    const list = found.filter(({ file }) => !file.name.startsWith("."));
    const tell = () =>
      (find("adding").textContent = t("addingFiles", {
        done: grouped(added + refused.length),
        count: grouped(list.length),
      }));
    const known = new Map(this.folder.classes.map(({ name }) => [name, { name }]));
    const queue = [...list];
    const work = async () => {
      for (let each = queue.shift(); each; each = queue.shift()) {
        try {
          const name = place ?? (await this.#classOf(each.path, known));
          const picture = await this.folder.add(name, each.file, each.file.name, { batch });
          this.onadded(picture);
          added += 1;
        } catch (error) {
          refused.push({ name: each.path, error });
        }
        tell();
      }
    };
    if (list.length) tell();
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    find("adding").textContent = t("filesAdded", { count: grouped(added) });
    find("refused").hidden = !refused.length;
    find("refused").replaceChildren(
      ...refused.map(({ name, error }) =>
        element("li", {}, error.values?.name ? "" : `${name}: `, tellProblem(error)),
      ),
    );
    await this.folder.refresh().catch(this.onfail);
  }

  /** The class of a dropped file: its folder's, made if there is none, or else the chosen one. */
  async #classOf(path, known) {
    const above = path.split("/").slice(0, -1).at(-1)?.normalize("NFC");
    if (!above) {
      if (this.chosen) return this.chosen;
      throw new Error(t("noClassYet"));
    }
    // All files of a folder wait for its one class, and learn its name as it is on the disk.
    if (!known.has(above)) known.set(above, this.folder.makeClass(above));
    return (await known.get(above)).name;
  }

  #light(row) {
    document.body.classList.toggle("dropping", Boolean(row === undefined));
    for (const each of find("classes").children) each.classList.toggle("over", each === row);
  }

  async #try(act, form = null) {
    for (const each of form?.elements ?? []) each.disabled = true;
    try {
      this.onfail(null);
      await act();
    } catch (error) {
      find("adding").textContent = "";
      this.onfail(error);
    } finally {
      for (const each of form?.elements ?? []) each.disabled = false;
    }
  }
}

/** All files of what was dropped, with their paths from there on. */
async function collect(entry, above, found) {
  const path = above ? `${above}/${entry.name}` : entry.name;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, path });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await collect(each, path, found);
  }
}
