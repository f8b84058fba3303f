/** The snapshots of a bundle: a tree of them, taken while a machine runs, looked at, gone back to, deleted. */
import type { BundleView } from "../shared/protocol.js";
import { make, many, part } from "./dom.js";
import { attempt, confirmed } from "./notices.js";
import type { OpenDisk, Session } from "./session.js";
import { showTransfer } from "./transfer.js";

export interface BundleActions {
  /** Makes what a guest wrote durable. */
  flushMachine(): Promise<void>;
  /** Stops the machine, if one runs. */
  stopMachine(): Promise<void>;
  /** Opens a snapshot of the disk that is open, or, without one, the disk itself. */
  show(snapshot: string | undefined): Promise<void>;
}

export function setUpBundle(session: Session, actions: BundleActions): void {
  const panel = new BundlePanel(session, actions);
  session.onChange((open) => panel.show(open));
}

class BundlePanel {
  readonly #session: Session;
  readonly #actions: BundleActions;
  readonly #take = part("take-snapshot", HTMLButtonElement);

  constructor(session: Session, actions: BundleActions) {
    this.#session = session;
    this.#actions = actions;
    this.#take.addEventListener("click", () => this.#change((id) => this.#takeNow(id)));
  }

  show(open: OpenDisk | undefined): void {
    const view = open?.bundle;
    part("snapshots").hidden = view === undefined;
    if (view === undefined) return;
    const shown = view.snapshots.filter(({ guid }) => guid !== view.top).length;
    part("snapshots-line").textContent = [
      shown === 0 ? "no snapshot yet" : many(shown, "snapshot"),
      `${many(view.layers, "image")} deep`,
      ...(view.parts > 1 ? [`split into ${many(view.parts, "part")}`] : []),
    ].join("  ·  ");
    this.#take.hidden = !isKept(open) || view.shown !== view.top;
    const list = part("snapshot-list");
    list.replaceChildren(...view.snapshots.map((_, index) => this.#item(view, index)));
    list.dataset.count = `${shown}`;
  }

  #item(view: BundleView, index: number): HTMLElement {
    const { guid, depth } = view.snapshots[index];
    const isTop = guid === view.top;
    const label = isTop ? "Now" : `Snapshot ${guid.slice(1, 9)}`;
    const item = make("li", { "data-guid": guid }, make("span", { className: "name", title: guid }, label));
    item.style.setProperty("--depth", `${Math.min(depth, 12)}`);
    if (guid === view.shown) item.setAttribute("aria-current", "true");
    else item.append(this.#button(`Look at ${label}`, "Look", () => this.#look(isTop ? undefined : guid)));
    if (isTop || view.shown !== view.top || !isKept(this.#session.current)) return item;
    item.append(
      this.#button(`Go back to ${label}`, "Go back", () => this.#change((id) => this.#goBack(id, guid))),
      this.#button(`Delete ${label}`, "Delete", () => this.#change((id) => this.#delete(id, guid))),
    );
    return item;
  }

  #button(label: string, text: string, act: () => void): HTMLElement {
    const button = make("button", { type: "button", className: "plain", "aria-label": label, textContent: text });
    button.addEventListener("click", act);
    return button;
  }

  #look(guid: string | undefined): void {
    void attempt(this.#session.current?.name ?? "The disk", () => this.#actions.show(guid));
  }

  /** Runs a verb that changes the tree, and shows it anew. */
  #change(verb: (id: number) => Promise<BundleView | undefined>): void {
    const { current } = this.#session;
    if (current === undefined || part("snapshots").dataset.state === "busy") return;
    part("snapshots").dataset.state = "busy";
    void attempt(current.name, async () => {
      const view = await verb(current.id);
      if (view === undefined || this.#session.current !== current) return;
      current.bundle = view;
      this.show(current);
      this.#session.wrote();
    }).then(() => {
      part("snapshots").dataset.state = "idle";
      showTransfer(undefined);
    });
  }

  async #takeNow(id: number): Promise<BundleView> {
    await this.#actions.flushMachine();
    return this.#session.worker.ask("takeSnapshot", id);
  }

  async #goBack(id: number, guid: string): Promise<BundleView | undefined> {
    const question =
      "Go back? What was written since the last snapshot is dropped, and a machine that runs is stopped.";
    if (!(await confirmed(question, "Go back"))) return undefined;
    await this.#actions.stopMachine();
    return this.#session.worker.ask("switchSnapshot", { id, guid });
  }

  async #delete(id: number, guid: string): Promise<BundleView | undefined> {
    if (!(await confirmed("Delete this snapshot? The disk and all other snapshots stay as they are.", "Delete")))
      return undefined;
    return this.#session.worker.ask("deleteSnapshot", { id, guid }, showTransfer);
  }
}

/** A person's own bundle is only read. */
const isKept = (open: OpenDisk | undefined): boolean => open !== undefined && "name" in open.source;
