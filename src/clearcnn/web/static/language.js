import en from "./en.js";
import ko from "./ko.js";

const dictionaries = { en, ko };
const listeners = [];
let current = "en";

/** Add the words of a page's own: language → key → text. */
export function addWords(words) {
  for (const [code, texts] of Object.entries(words)) Object.assign(dictionaries[code], texts);
}

/**
 * The text of a key in the page's language; {name} is replaced by values.name. Where values.count is
 * 1, it is that of `key_one`, if there is one.
 */
export function t(key, values = {}) {
  const words = dictionaries[current];
  const one = String(values.count) === "1" ? words[`${key}_one`] : undefined;
  const text = one ?? words[key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const language = () => current;

/** The attributes of a sentence of the server, which is English where it has no translation. */
export const spoken = (sentence) =>
  current === "ko" && !/[가-힣]/.test(sentence) ? { lang: "en" } : {};

/** The available language that the browser prefers. */
export function preferredLanguage() {
  const wanted = navigator.languages.map((code) => code.slice(0, 2));
  return wanted.find((code) => code in dictionaries) ?? "en";
}

/** Call back whenever the language changes, and now. */
export function onLanguage(listener) {
  listeners.push(listener);
  listener();
}

export function setLanguage(code) {
  current = code in dictionaries ? code : "en";
  document.documentElement.lang = current;
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = t(place.dataset.t);
  for (const place of document.querySelectorAll("[data-t-label]"))
    place.setAttribute("aria-label", t(place.dataset.tLabel));
  for (const place of document.querySelectorAll("[data-t-placeholder]"))
    place.setAttribute("placeholder", t(place.dataset.tPlaceholder));
  listeners.forEach((listener) => listener());
}
