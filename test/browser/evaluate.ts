/** A worker that runs what its page sends: functions as text, after a script of the site. For browsers whose driver does not reach workers. */

/** What is asked, and what is answered. */
export type Evaluation = { id: number; script: string; code: string; argument: unknown };
export type Evaluated = { id: number } & ({ result: unknown } | { failure: string });

globalThis.onmessage = async ({ data }: MessageEvent<Evaluation>) => {
  const { id, script, code, argument } = data;
  try {
    await import(script);
    const run = new Function(`return (${code})`)() as (argument: unknown) => unknown;
    postMessage({ id, result: await run(argument) } satisfies Evaluated);
  } catch (error) {
    postMessage({ id, failure: `${error}\n${(error as Error)?.stack ?? ""}` } satisfies Evaluated);
  }
};
