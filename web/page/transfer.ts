/** How far a copy into the browser or out of it has come. */
import { part } from "./dom.js";

/** @param share 0 to 1; nothing when it is over */
export function showTransfer(share: number | undefined): void {
  const progress = part("transfer", HTMLProgressElement);
  progress.hidden = share === undefined;
  progress.value = share ?? 0;
}
