import { Bars, tell } from "./answer.js";
import { toBytes, toText } from "./base64.js";
import { CloseUp } from "./closeup.js";
import { onScheme } from "./colours.js";
import { Pad, packStrokes, unpackStrokes } from "./draw.js";
import { element, find } from "./element.js";
import { fitStrokes, measureFrame } from "./frame.js";
import { Gallery } from "./gallery.js";
import { language, onLanguage, preferredLanguage, setLanguage, t } from "./language.js";
import { Model, ask, blank } from "./model.js";
import { Network } from "./network.js";
import { finePercent, grouped, percent } from "./numbers.js";
import * as picture from "./picture.js";
import { tellProblem } from "./problems.js";
import { keep, read, write } from "./state.js";
import { Playground, listModels } from "./playground.js";
import { UnlikeFlag } from "./unlike.js";

const MOST_SHARED_BYTES = 4096;

const network = new Network(find("network"), select);
const unlike = new UnlikeFlag(find("unlike"));
const closeup = new CloseUp(
  find("closeup"),
  (at) => select(at, network.pinned),
  (from) => network.mark(closeup.at, from),
);
let name, description, contract, own, shown, fresh, pad, bars, gallery, frame, playground;
let pixels,
  label = null,
  result = null,
  since = 0,
  running = false,
  again = false,
  opening = 0;

/** Announce a text to screen readers. */
const say = (text) => (find("said").textContent = text);

const fail = (error) => find("problem").replaceChildren(`${t("failed")} `, ...tellProblem(error));

/** Run the models on the current image; while they run, only the latest image is kept. */
async function predict() {
  again = true;
  if (running || !shown) return;
  running = true;
  try {
    while (again && shown) {
      again = false;
      const results = await runAll();
      if (results) showAll(results);
    }
  } catch (error) {
    console.error(error);
    find("problem").replaceChildren(...tellProblem(error));
  } finally {
    running = false;
  }
}

/** Run every model in use on the current image; null if another model is chosen meanwhile. */
async function runAll() {
  const [mine, looked, image] = [own, shown, pixels];
  const results = new Map();
  for (const model of [looked, mine, fresh]) {
    if (model && !results.has(model)) results.set(model, await model.run(image));
    // A model that is no longer shown may have been released.
    if (mine !== own || looked !== shown) return null;
  }
  return results;
}

function showAll(results) {
  result = results.get(shown);
  const mine = results.get(own).probabilities;
  const best = bars.show(mine);
  find("answer").textContent = description.class_names[best];
  find("answer").classList.toggle("long", description.class_names[best].length > 3);
  find("sentence").textContent = tell(mine, description.class_names) + judge(best);
  document.body.dataset.answer = description.class_names[best];
  if (since) {
    document.body.dataset.milliseconds = (performance.now() - since).toFixed(1);
    find("speed").textContent = t("speed", {
      milliseconds: Math.max(1, Math.round(performance.now() - since)),
    });
    since = 0;
  }
  unlike.judge(`page/models/${encodeURIComponent(name)}`, pixels);
  network.show(result);
  closeup.show(shown, result, closeup.at ?? network.findStrongest());
  if (results.has(fresh)) playground.compare(mine, results.get(fresh).probabilities);
  document.body.dataset.ready = "true";
}

const judge = (best) =>
  label === null
    ? ""
    : ` ${t(best === label ? "labelRight" : "labelWrong", { name: description.class_names[label] })}`;

function take(values, { of = null, from = 0 } = {}) {
  pixels = values;
  label = of;
  since = from;
  picture.paint(pixels, contract, find("seen"));
  predict();
}

function takeDrawing(from) {
  const place =
    find("fit").checked && frame
      ? (strokes) => fitStrokes(strokes, pad.pen, pad.size, frame)
      : undefined;
  const [width, height] = pad.size;
  const empty = !pad.strokes.length;
  take(empty ? blank(contract) : picture.fromRgba(pad.render(place), height, width, contract), {
    from,
  });
  gallery.mark(null);
  find("polarity").hidden = true;
  find("hint").hidden = !empty;
  keep("row", null);
  keep("pixels", null);
  keep("strokes", empty ? null : toText(packStrokes(pad.strokes)));
}

function takeImage(values, { row = null, of = null, from = performance.now() } = {}) {
  const sheet = element("canvas");
  picture.paint(values, contract, sheet);
  pad.set([], sheet);
  take(values, { of, from });
  gallery.mark(row);
  find("hint").hidden = row === null;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  keep("strokes", null);
  keep("row", row);
  keep("pixels", row === null && bytes.length <= MOST_SHARED_BYTES ? toText(bytes) : null);
  find("polarity").hidden = row !== null;
}

async function takeFile(file) {
  if (!file) return;
  try {
    const read = await picture.fromFile(file, contract);
    const seen = picture.polarityOf(read, contract);
    const opposite =
      contract.polarity !== "unknown" && seen !== "unknown" && seen !== contract.polarity;
    takeImage(opposite ? picture.invert(read, contract) : read);
    find("inverted").hidden = !opposite;
    say(t("pictureTaken", { name: file.name }));
    find("problem").textContent = "";
  } catch {
    find("problem").textContent = t("noPicture", { name: file.name });
  }
}

function select(at, pin) {
  if (!shown) return;
  if (pin)
    network.pinned =
      !(network.pinned && same(at, closeup.at)) ||
      document.activeElement.closest?.("#closeup") !== null;
  if (!pin && network.pinned && !find("closeup").contains(document.activeElement)) return;
  closeup.show(shown, result, at);
  if (!closeup.place.querySelector(".stages .grid")) network.mark(at);
  find("pinned").hidden = !network.pinned;
  keep("at", [at.position, at.row, at.column, at.channel].join("."));
}

const same = (a, b) =>
  a && b && ["position", "row", "column", "channel"].every((key) => a[key] === b[key]);

/** Look inside a model, at the value in the URL, or else at the strongest one. */
function look(model) {
  shown = model;
  network.open(model);
  const given = (read("at") ?? "").split(".").map(Number);
  closeup.stop();
  closeup.from = null;
  closeup.at = null;
  if (given.length === 4 && given.every((part) => part >= 0)) {
    const [position, row, column, channel] = given;
    const shape = model.layers[position]?.output_shape ?? [0];
    const fits =
      shape.length === 3
        ? row < shape[0] && column < shape[1] && channel < shape[2]
        : channel < shape[0];
    if (fits) closeup.at = { position, row, column, channel };
  }
  find("shown").textContent = model === own ? "" : t("looksInside");
  find("look-back").hidden = model === own;
  predict();
}

/** Open a run; if several are chosen in a row, the latest is shown. */
async function open(wanted) {
  const mine = ++opening;
  try {
    await load(wanted, () => mine === opening);
  } catch (error) {
    if (mine === opening) throw error;
  }
}

async function load(wanted, isWanted) {
  name = wanted;
  keep("model", name);
  find("problem").textContent = "";
  // Until the new model is loaded, the old one must not run on the new images.
  const old = own;
  shown = own = fresh = null;
  playground?.leave();
  old?.release();
  network.pinned = false;
  find("pinned").hidden = true;
  delete document.body.dataset.ready;
  const address = `page/models/${encodeURIComponent(name)}`;
  const found = await ask(address);
  if (!isWanted()) return;
  description = found;
  contract = description.input;
  tellRun();
  const loading = Model.load(
    address,
    description.network,
    contract,
    description.class_names,
    description.temperature,
  );
  bars = new Bars(find("bars"), description.class_names);
  frame = null;
  pad = new Pad(find("pad"), contract, { onchange: takeDrawing, onsay: (key) => say(t(key)) });
  gallery = new Gallery(find("gallery"), contract, description.class_names, (image) =>
    takeImage(image.pixels, { row: image.row, of: image.label }),
  );
  find("fit").parentElement.hidden = contract.polarity === "unknown";
  find("fit").checked = contract.polarity !== "unknown";
  const images = gallery
    .load(address, isWanted)
    .catch(() => {})
    .then(() => isWanted() && beginWithImage());
  const [model] = await Promise.all([loading, images]);
  if (!isWanted()) {
    model.release();
    return;
  }
  own = model;
  playground?.open(name, description);
  look(own);
}

/** Show the drawing in the URL, or else a test image. */
function beginWithImage() {
  if (contract.polarity !== "unknown")
    frame = measureFrame(
      gallery.images.map((image) => image.pixels),
      contract,
    );
  const row = read("row"),
    strokes = read("strokes"),
    shared = read("pixels");
  const image = gallery.images.find((each) => String(each.row) === row);
  if (strokes) {
    pad.set(unpackStrokes(toBytes(strokes)));
    takeDrawing(0);
  } else if (shared) takeImage(picture.fromBytes(toBytes(shared), contract), { from: 0 });
  else if (image ?? gallery.images[3]) {
    const chosen = image ?? gallery.images[3];
    takeImage(chosen.pixels, { row: chosen.row, of: chosen.label, from: 0 });
    gallery.mark(chosen.row);
  } else takeDrawing(0);
}

function tellRun() {
  if (!description) return;
  const { accuracy, correct, total, interval } = description.test;
  find("title").textContent = name;
  find("about").textContent = t("about", {
    source: description.source,
    share: percent(accuracy),
    correct: grouped(correct),
    total: grouped(total),
    low: finePercent(interval.low).replace(" %", ""),
    high: finePercent(interval.high),
    parameters: grouped(description.network.parameters),
  });
}

function listen() {
  find("clear").onclick = () => pad.clear();
  find("undo").onclick = () => pad.undo();
  find("fit").onchange = () => pad.strokes.length && takeDrawing(performance.now());
  find("file").onchange = (event) => takeFile(event.target.files[0]);
  find("invert").onclick = () => {
    takeImage(picture.invert(pixels, contract));
    find("inverted").hidden = true;
  };
  find("unpin").onclick = () => {
    network.pinned = false;
    find("pinned").hidden = true;
  };
  find("look-back").onclick = () => own && look(own);
  find("share").onclick = async () => {
    const address = write();
    await navigator.clipboard?.writeText(address).catch(() => {});
    find("share").textContent = t("copied");
    setTimeout(() => (find("share").textContent = t("share")), 1500);
  };
  addEventListener("paste", (event) => takeFile([...event.clipboardData.files][0]));
  addEventListener(
    "dragover",
    (event) => (event.preventDefault(), document.body.classList.add("dropping")),
  );
  addEventListener(
    "dragleave",
    (event) => event.relatedTarget ?? document.body.classList.remove("dropping"),
  );
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    takeFile(event.dataTransfer.files[0]);
  });
  for (const button of document.querySelectorAll("[data-language]"))
    button.onclick = () => {
      keep("lang", button.dataset.language);
      setLanguage(button.dataset.language);
    };
  onScheme(() => predict());
  onLanguage(() => {
    for (const button of document.querySelectorAll("[data-language]"))
      button.setAttribute("aria-pressed", String(button.dataset.language === language()));
    document.title = t("pageTitle");
    tellRun();
    playground?.retell();
    gallery?.fill();
    if (shown) look(shown);
  });
}

async function begin() {
  setLanguage(read("lang") ?? preferredLanguage());
  listen();
  try {
    const { models, playground: trains } = await listModels();
    find("playground").hidden = !trains;
    if (trains)
      playground = new Playground({
        onmodel: (model) => {
          fresh = model;
          if (model) predict();
        },
        onlook: (model) => {
          look(model);
          find("inside").scrollIntoView({ behavior: "smooth" });
        },
      });
    const wanted = models.includes(read("model")) ? read("model") : models[0];
    find("models").hidden = models.length < 2;
    find("models").replaceChildren(
      ...models.map((each) => element("option", { value: each, selected: each === wanted }, each)),
    );
    find("models").onchange = (event) => {
      ["row", "pixels", "strokes", "at", "layers"].forEach((key) => keep(key, null));
      open(event.target.value).catch(fail);
    };
    await open(wanted);
  } catch (error) {
    fail(error);
    throw error;
  }
}

begin();
