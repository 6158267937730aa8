import { language, t } from "./language.js";

/** Fetch from the server; throws its error with the fields that `tellProblem` uses. */
export async function ask(address, options = {}, kind = "json") {
  const headers = { "Accept-Language": language(), ...options.headers };
  const answer = await fetch(address, { ...options, headers }).catch(() => {
    throw new Error(t("lost"));
  });
  if (answer.ok) return answer.status === 204 ? null : answer[kind]();
  const { error, ...more } = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(error ?? answer.statusText), { ...more, status: answer.status });
}

export const post = (address, body = {}) =>
  ask(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
