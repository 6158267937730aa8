import { element, find } from "../element.js";
import { addWords, language, onLanguage, preferredLanguage, setLanguage, t } from "../language.js";
import { grouped } from "../numbers.js";
import { tellProblem } from "../problems.js";
import { keep, read, write } from "../state.js";
import { post } from "../ask.js";
import { Collect } from "./collect.js";
import en from "./en.js";
import { Folder } from "./folder.js";
import { Improve } from "./improve.js";
import { JobWatch } from "./job.js";
import { Keep } from "./keep.js";
import ko from "./ko.js";
import { Look } from "./look.js";
import { Mistake } from "./mistake.js";
import { Sheet } from "./sheet.js";
import { Train } from "./train.js";

addWords({ en, ko });

const STEPS = ["collect", "look", "train", "improve", "keep"];
const WITH_SHEET = ["collect", "look"];
let step = null;

/** Tell an error; if it names a picture, with the way to it. */
function fail(error) {
  const picture = error && folder.findNamed(error.message);
  const show = () => visit(picture);
  find("problem").replaceChildren(
    ...(error ? tellProblem(error) : []),
    ...(picture ? [" ", element("button", { type: "button", onclick: show }, t("onSheet"))] : []),
  );
}
const say = (text) => (find("said").textContent = text);

const folder = new Folder({ onchange: show, onfail: fail });
const sheet = new Sheet(folder, {
  onmove: (pictures, name) =>
    change(async () => {
      await folder.move(pictures, name);
      say(t("movedTo", { count: grouped(pictures.length), name }));
    }),
  onremove: (pictures) =>
    change(async () => {
      await folder.remove(pictures);
      say(t("removedCount", { count: grouped(pictures.length) }));
    }),
});
const collect = new Collect(folder, { onfail: fail, onadded: showAdded });
const watch = new JobWatch(tell, fail);
const follow = ({ number }) => watch.follow(number);
const look = new Look(folder, sheet, { onfail: fail, onbegin: follow });
const train = new Train(folder, {
  onfail: fail,
  onbegin: follow,
  onend: showAttempts,
  onpicture: study,
  isShown: () => step === "train",
});
const mistake = new Mistake(folder, {
  onmove: (pictures, name) =>
    change(async () => {
      const moved = await folder.move(pictures, name);
      say(t("movedTo", { count: grouped(pictures.length), name }));
      return moved.pictures;
    }),
  onsheet: visit,
  onback: () => (mistake.close(), open("train")),
});
const improve = new Improve({
  onshow: (run) => (train.show(run).catch(fail), open("train")),
});
const keeping = new Keep({ onfail: fail });

async function change(act) {
  fail(null);
  try {
    return await act();
  } catch (error) {
    fail(error);
    return null;
  }
}

/** Show the folder as it is now. */
function show() {
  find("folder").textContent = folder.root.split(/[/\\]/).at(-1);
  find("folder").title = folder.root;
  find("totals").textContent = t("totals", {
    root: folder.root,
    pictures: t("countPictures", { count: grouped(folder.count) }),
    classes: t("countClasses", { count: grouped(folder.classes.length) }),
  });
  find("undo").disabled = !folder.canUndo;
  collect.show();
  if (WITH_SHEET.includes(step)) sheet.show();
  look.show();
  // Also one that is over: its result may be new to this tab.
  if (folder.job) follow(folder.job);
  document.body.dataset.count = String(folder.count);
  document.body.dataset.ready = "true";
}

/** Show a picture that was just kept; `begin` is when it was taken. */
function showAdded(picture, begin = 0) {
  sheet.show();
  collect.show();
  document.body.dataset.count = String(folder.count);
  if (begin) document.body.dataset.milliseconds = (performance.now() - begin).toFixed(1);
}

function tell(event, job) {
  (job.kind === "look" ? look : train).tell(event);
}

/** Show the attempts; a run that has just ended is the one to keep, unless another is chosen. */
async function showAttempts(run = null) {
  try {
    await improve.refresh();
    if (run) keeping.chosen = null;
    await keeping.offer(improve.attempts);
    document.body.dataset.attempts = String(improve.attempts.length);
  } catch (error) {
    fail(error);
  }
}

/** Go to a mistake of a result, and to the pictures that the model finds most like it. */
function study(result, number) {
  open("improve", { focus: false });
  mistake.open(result, number);
}

/** Go to a picture on the sheet. */
function visit(picture) {
  look.kind = null;
  open("look");
  look.show();
  if (folder.has(picture)) sheet.reveal(picture);
  else fail(new Error(t("movedSince")));
}

function open(wanted, { focus = true } = {}) {
  step = STEPS.includes(wanted) ? wanted : "collect";
  keep("step", step);
  write(); // At once: the page may be reloaded.
  for (const section of document.querySelectorAll("[data-page]"))
    section.hidden =
      section.dataset.page === "sheet"
        ? !WITH_SHEET.includes(step)
        : section.dataset.page !== step;
  for (const button of document.querySelectorAll("[data-step]"))
    if (button.dataset.step === step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  fail(null);
  if (focus) find("main").focus({ preventScroll: true });
  sheet.filter(step === "look" ? look.kind : null);
  if (WITH_SHEET.includes(step)) sheet.show();
  if (step === "train") {
    post("studio/warm").catch(() => {});
    showLatest();
    train.estimate();
  }
}

/** Show the result of the latest attempt, unless another one is shown or in the making. */
function showLatest() {
  const latest = improve.attempts.at(-1);
  if (latest && !train.wanted && (folder.job?.is_over ?? true)) train.show(latest.run).catch(fail);
}

async function undo() {
  await change(async () => {
    const { kind, count } = await folder.undo();
    say(t(kind ? "undone" : "nothingToUndo", { count: grouped(count) }));
  });
}

function listen() {
  for (const button of document.querySelectorAll("[data-step]"))
    button.onclick = () => open(button.dataset.step);
  find("undo").onclick = undo;
  find("skip").onclick = () => find("main").focus();
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input:not([type=radio]):not([type=checkbox]), select");
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) {
      event.preventDefault();
      undo();
    }
  });
  for (const button of document.querySelectorAll("[data-language]"))
    button.onclick = () => {
      keep("lang", button.dataset.language);
      setLanguage(button.dataset.language);
    };
  onLanguage(() => {
    for (const button of document.querySelectorAll("[data-language]"))
      button.setAttribute("aria-pressed", String(button.dataset.language === language()));
    document.title = t("studioTitle");
    if (!document.body.dataset.ready) return;
    show();
    sheet.note(sheet.notes);
    train.retell().catch(fail);
    mistake.show();
    improve.show();
    keeping.show();
    watch.repeat().catch(fail);
  });
}

async function begin() {
  setLanguage(read("lang") ?? preferredLanguage());
  listen();
  train.retell();
  open(read("step"), { focus: false });
  await showAttempts();
  if (step === "train") showLatest();
  await folder.watch();
  train.estimate();
}

begin();
