/**
 * Turns of the event loop. Promises that are resolved already follow each other without one, so that a long loop of them
 * keeps signals, timers and a page's frames waiting until its end. Whoever may loop for long asks here at every step.
 */

/** How long work goes on before it looks whether others had a turn, in ms: what a frame at 60 Hz can spare. */
const SPELL = 12;

/** When to look again. */
let due = 0;
/** A turn was asked for and has not come yet. */
let missed = false;
/** What everybody waits for, once somebody does: else the others would go on without a turn. */
let waiting: Promise<void> | undefined;

/**
 * What to wait for before going on, if others have had no turn for some time; mostly nothing. A turn is asked for
 * early and waited for late: work that waits for a device in between, as most does, loses no time over it.
 */
export function overdueTurn(): Promise<void> | undefined {
  if (waiting !== undefined) return waiting;
  const now = Date.now(); // Node loads a module for `performance`
  const early = due - now;
  if (early > 0 && early <= SPELL) return undefined; // more than that where the clock was put back
  due = now + SPELL;
  if (missed) {
    waiting = new Promise<void>((resolve) => nextTurn(resolve)).then(() => {
      waiting = undefined;
    });
    return waiting;
  }
  missed = true;
  nextTurn(() => {
    missed = false;
  });
  return undefined;
}

/** Calls back in a turn of its own. Not by a timer where there is another way: those of a hidden tab come once a second. */
function nextTurn(then: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (then: () => void) => void }; // Node's
  if (setImmediate !== undefined) setImmediate(then);
  else if (typeof MessageChannel === "function") messageTurn(then);
  else setTimeout(then);
}

function messageTurn(then: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close(); // an open port keeps some runtimes from ending
    then();
  };
  port2.postMessage(undefined);
}
