import { find } from "./element.js";
import { language, onLanguage, setLanguage, t } from "./language.js";
import { keep, write } from "./state.js";

const COPIED_MILLISECONDS = 1500;

/** Make the header's buttons work: the language, the link, and the ways to the sections. */
export function listenToHeader() {
  const languages = document.querySelectorAll("[data-language]");
  for (const button of languages)
    button.onclick = () => {
      keep("lang", button.dataset.language);
      setLanguage(button.dataset.language);
    };
  onLanguage(() => {
    for (const button of languages)
      button.setAttribute("aria-pressed", String(button.dataset.language === language()));
    document.title = t("pageTitle");
  });
  find("share").onclick = async () => {
    const address = write();
    await navigator.clipboard?.writeText(address).catch(() => {});
    find("share").textContent = t("copied");
    setTimeout(() => (find("share").textContent = t("share")), COPIED_MILLISECONDS);
  };
  // A link would replace the state in the address.
  for (const button of document.querySelectorAll("[data-jump]"))
    button.onclick = () => {
      find(button.dataset.jump).scrollIntoView();
      find(button.dataset.jump).focus({ preventScroll: true });
    };
}
