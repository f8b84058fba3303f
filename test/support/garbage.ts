/** The garbage collector, for tests of what is kept. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects until nothing more goes, also what ends with the turn. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}

/** Which of the objects are still there. */
export const alive = (references: readonly WeakRef<object>[]): number =>
  references.filter((reference) => reference.deref() !== undefined).length;
