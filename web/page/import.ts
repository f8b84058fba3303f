/** Images that come from the person's computer: dropped anywhere on the page, or picked. */

import type { Source } from "../shared/protocol.js";
import { part } from "./dom.js";
import { droppedFiles, type Found, pickedFiles, sourceAmong } from "./folder.js";
import { attempt } from "./notices.js";

export interface ImportActions {
  open(source: Source): Promise<unknown>;
  /** Files that are BIOSes, by their names. */
  takeBios(files: File[]): Promise<void>;
}

export function setUpImport(actions: ImportActions): void {
  for (const id of ["pick-file", "pick-folder"]) {
    const input = part(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const found = pickedFiles(input);
      input.value = ""; // choosing the same again is a change again
      if (found.length > 0) void take(found, actions);
    });
  }
  setUpDrop((found) => take(found, actions));
}

function take(found: Found[], { open, takeBios }: ImportActions): Promise<boolean> {
  return attempt(found[0]?.file.name ?? "What you dropped", async () => {
    if (found.length > 0 && found.every(({ path }) => /\.bin$/i.test(path))) {
      return takeBios(found.map(({ file }) => file));
    }
    if (found.length === 0)
      throw new Error("There was no file in what you dropped: drop a .hds file or a .hdd folder.");
    return open(sourceAmong(found));
  });
}

function setUpDrop(take: (found: Found[]) => void): void {
  // Leaving one element for another is no end of dragging: what ends it is leaving all that was entered.
  let depth = 0;
  const show = (change: number) => {
    depth = Math.max(0, depth + change);
    document.body.toggleAttribute("data-dropping", depth > 0);
  };
  const withFiles = (handle: (event: DragEvent) => void) => (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    handle(event);
  };
  addEventListener(
    "dragenter",
    withFiles(() => show(1)),
  );
  addEventListener(
    "dragleave",
    withFiles(() => show(-1)),
  );
  addEventListener(
    "dragover",
    withFiles(() => {}),
  );
  addEventListener(
    "drop",
    withFiles(async (event) => {
      show(-depth);
      take(await droppedFiles(event.dataTransfer!));
    }),
  );
}
