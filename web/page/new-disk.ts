/** The form that makes a disk. */
import type { Format } from "../../src/index.js";
import { safeName } from "../shared/names.js";
import type { NewDisk } from "../shared/protocol.js";
import { part } from "./dom.js";
import { sentenceOf } from "./sentences.js";

/** @param create makes the disk and opens it */
export function setUpNewDisk(create: (disk: NewDisk) => Promise<void>): void {
  const form = part("new-disk", HTMLFormElement);
  const problem = part("new-problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.state === "busy") return;
    form.dataset.state = "busy";
    problem.hidden = true;
    const disk = wanted(new FormData(form));
    try {
      await create(disk);
    } catch (error) {
      problem.textContent = sentenceOf(error, disk.name);
      problem.hidden = false;
    } finally {
      form.dataset.state = "idle";
    }
  });
}

function wanted(fields: FormData): NewDisk {
  const text = (name: string) => String(fields.get(name)).trim();
  const bytes = Number(text("amount")) * Number(text("unit"));
  return {
    name: fileName(text("name")),
    // Whole sectors: "0.7 GiB" is not.
    size: Math.round(bytes / 512) * 512,
    clusterSize: Number(text("clusterSize")),
    format: text("format") as Format,
  };
}

/** As a file system would have it. */
function fileName(name: string): string {
  const safe = safeName(name);
  return /\.hds$/i.test(safe) ? safe : `${safe}.hds`;
}
