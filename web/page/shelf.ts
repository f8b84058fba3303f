/** The list of the disks that this browser keeps. */
import { formatSize } from "../../src/show/units.js";
import type { KeptDisk, Shelf } from "../shared/protocol.js";
import { make, part } from "./dom.js";
import { attempt, confirmed } from "./notices.js";
import { sentenceOf } from "./sentences.js";
import type { Session } from "./session.js";

export class ShelfPanel {
  readonly #session: Session;
  readonly #open: (name: string) => void;

  constructor(session: Session, open: (name: string) => void) {
    this.#session = session;
    this.#open = open;
    session.onChange(() => this.#markCurrent());
  }

  /** Lists the disks anew; where that fails the list says why, and who asked for something else is not disturbed. */
  async refresh(): Promise<void> {
    try {
      this.#show(await this.#session.worker.ask("shelf", undefined));
    } catch (error) {
      const sentence = sentenceOf(error, "This browser's storage");
      part("shelf").replaceChildren(make("li", { className: "problem" }, sentence));
      part("shelf").dataset.state = "failed";
      part("usage").hidden = true;
    }
  }

  #show(shelf: Shelf): void {
    const list = part("shelf");
    const focused = focusIn(list);
    list.replaceChildren(...shelf.disks.map((disk) => this.#item(disk)));
    if (shelf.disks.length === 0) list.append(make("li", { className: "none" }, "Nothing is kept here yet."));
    list.dataset.state = shelf.disks.length === 0 ? "empty" : "filled";
    showUsage(shelf);
    this.#markCurrent();
    focused?.(list);
  }

  #item({ name, bytes, modified }: KeptDisk): HTMLElement {
    const open = make(
      "button",
      { type: "button", className: "open", title: name },
      make("span", { className: "name" }, name),
      make("span", { className: "quiet small" }, `${formatSize(bytes)}  ·  ${dateOf(modified)}`),
    );
    open.addEventListener("click", () => this.#open(name));
    const remove = make("button", { type: "button", className: "plain", "aria-label": `Remove ${name}` }, "Remove");
    remove.addEventListener("click", () => void attempt(name, () => this.#remove(name)));
    return make("li", { "data-name": name }, open, remove);
  }

  async #remove(name: string): Promise<void> {
    if (!(await confirmed(`Remove ${name} from this browser? Its content is gone then.`, "Remove"))) return;
    const { source } = this.#session.current ?? {};
    if (source !== undefined && "name" in source && source.name === name) await this.#session.close();
    await this.#session.worker.ask("remove", name);
    await this.refresh();
  }

  #markCurrent(): void {
    const { source } = this.#session.current ?? {};
    const current = source !== undefined && "name" in source ? source.name : undefined;
    for (const item of part("shelf").querySelectorAll("li")) {
      if (item.dataset.name !== undefined && item.dataset.name === current) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }
}

/** Where the focus is in the list, if there: what gives it back to the same button, a neighbour's, or the title. */
function focusIn(list: HTMLElement): ((list: HTMLElement) => void) | undefined {
  const item = document.activeElement?.closest<HTMLElement>("#shelf li");
  if (!item) return undefined;
  const index = [...list.children].indexOf(item);
  const button = document.activeElement?.matches(".open") ? ".open" : ".plain";
  return (list) => {
    const same = [...list.children].find((other) => (other as HTMLElement).dataset.name === item.dataset.name);
    const next = same ?? list.children[Math.min(index, list.children.length - 1)];
    (next?.querySelector<HTMLElement>(button) ?? part("shelf-title")).focus();
  };
}

function showUsage({ used, quota }: Shelf): void {
  const usage = part("usage");
  usage.hidden = used === undefined || quota === undefined;
  usage.textContent = `${formatSize(used ?? 0)} of the ${formatSize(quota ?? 0)} that the browser allows.`;
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toLocaleString(undefined, {
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
}
