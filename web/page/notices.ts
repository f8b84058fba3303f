/** Sentences for the person, at the top of the page, until they are dismissed. */
import { make, part } from "./dom.js";
import { sentenceOf } from "./sentences.js";

export function notify(sentence: string): void {
  const notice = make("div", { className: "notice" }, make("span", {}, sentence));
  const dismiss = make("button", { type: "button", className: "plain", textContent: "Dismiss" });
  dismiss.addEventListener("click", () => {
    notice.remove();
    part("workspace").focus();
  });
  notice.append(dismiss);
  part("notices").replaceChildren(notice);
}

export function clearNotices(): void {
  part("notices").replaceChildren();
}

/** Runs what a person asked for; where it fails, says so. Answers whether it went well. */
export async function attempt(name: string, work: () => Promise<unknown>): Promise<boolean> {
  clearNotices();
  try {
    await work();
    return true;
  } catch (error) {
    notify(sentenceOf(error, name));
    return false;
  }
}

/** Asks before something is lost. */
export function confirmed(question: string, yes: string): Promise<boolean> {
  const dialog = part("confirm", HTMLDialogElement);
  part("confirm-text").textContent = question;
  part("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
