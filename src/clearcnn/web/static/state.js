import { toBytes, toText } from "./base64.js";

// What can be shared is in the URL's fragment, which browsers do not send to servers.
const parameters = new URLSearchParams(location.hash.slice(1));
let timer = null;

export const read = (name) => parameters.get(name);

export function readJson(name) {
  try {
    return JSON.parse(new TextDecoder().decode(toBytes(parameters.get(name) ?? "")));
  } catch {
    return null;
  }
}

/** Store a value in the URL; null removes it. */
export function keep(name, value) {
  if (value === null) parameters.delete(name);
  else parameters.set(name, value);
  clearTimeout(timer);
  timer = setTimeout(write, 150);
}

export function keepJson(name, value) {
  keep(name, value === null ? null : toText(new TextEncoder().encode(JSON.stringify(value))));
}

/** The page's current URL. */
export function write() {
  history.replaceState(null, "", `#${parameters}`);
  return location.href;
}
