import { find } from "./element.js";

/**
 * Show the pad, or the image from elsewhere, and the tools of what is shown.
 *
 * @param draws whether the images of the run are like drawings, so that a pad makes sense
 * @param kind of the image from elsewhere, as PhotoInput names it; null if there is none
 * @param isEmpty whether the pad is
 */
export function showInput({ draws, kind, isEmpty }) {
  const isPad = draws && kind === null;
  for (const id of ["pad", "undo", "pad-keys"]) find(id).hidden = !isPad;
  find("fit").parentElement.hidden = !isPad;
  find("hint").hidden = !isPad || !isEmpty;
  find("nothing").hidden = draws || kind !== null;
  const isLive = kind === "camera";
  find("clear").hidden = isLive || (!draws && kind === null);
  find("open").hidden = isLive;
  find("paste").hidden = isLive || !navigator.clipboard?.read;
  for (const id of ["open", "camera"]) find(id).classList.toggle("strong", !draws);
  // Read after every frame, it would never end.
  for (const id of ["sentence", "unlike"])
    find(id).setAttribute("aria-live", isLive ? "off" : "polite");
}
