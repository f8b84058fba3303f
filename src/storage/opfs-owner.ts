/**
 * Who has a file of OPFS open: a Web Lock by the file's name says so, held while the file is open; the browser takes
 * it from a worker that dies. An owner that lives answers when it is asked, so that who comes second learns it at
 * once; one that is dying, as in a page that is reloaded, does not answer and is waited for. Where there are no Web
 * Locks the access handle alone keeps others out.
 */

/** Gives the file up. */
export type Release = () => void;

const QUESTION = "who has it open?";
const ANSWER = "I have";

/** Makes the caller an owner of `path`; "shared" owners bear one another. Answers nothing where another stays the owner. */
export async function own(path: string, mode: LockMode, waitMilliseconds: number): Promise<Release | undefined> {
  const name = `parablock:opfs:${path}`;
  if (navigator.locks === undefined) return () => {};
  const release = (await hold(name, { mode, ifAvailable: true })) ?? (await outwait(name, mode, waitMilliseconds));
  if (release === undefined) return undefined;
  const channel = answering(name);
  // Who asked before there was somebody to answer is told now; readers bear one another, and may be let in yet.
  if (mode === "exclusive") channel.postMessage(ANSWER);
  return () => {
    channel.close();
    release();
  };
}

/** Waits for the lock until the owner says that it lives, or the time is up. */
async function outwait(name: string, mode: LockMode, milliseconds: number): Promise<Release | undefined> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), milliseconds);
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => {
    if (data === ANSWER) giveUp.abort();
  };
  channel.postMessage(QUESTION);
  try {
    return await hold(name, { mode, signal: giveUp.signal });
  } catch (error) {
    if (giveUp.signal.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    channel.close();
  }
}

/** Takes the lock and keeps it; answers nothing where it was not to be had. */
function hold(name: string, options: LockOptions): Promise<Release | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, options, (lock) => {
        if (lock === null) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

function answering(name: string): BroadcastChannel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => {
    if (data === QUESTION) channel.postMessage(ANSWER);
  };
  return channel;
}
