import { toBytes, toText } from "./base64.js";

// Everything that can be shared lies in the part of the address behind #, which no server sees.
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

/** Keep a value in the address; null removes it. */
export function keep(name, value) {
  if (value === null) parameters.delete(name);
  else parameters.set(name, value);
  clearTimeout(timer);
  timer = setTimeout(write, 150);
}

export function keepJson(name, value) {
  keep(name, value === null ? null : toText(new TextEncoder().encode(JSON.stringify(value))));
}

/** The address of the page as it is now. */
export function write() {
  history.replaceState(null, "", `#${parameters}`);
  return location.href;
}
