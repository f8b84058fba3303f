/** The serial console: what the machine sends, as text. Escape sequences of terminals are left out. */

/** As much as is kept, in characters. */
const LONGEST = 64 * 1024;
const PAUSE = 30;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const SEQUENCES = /\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>A-Z78])|[\x00\x07\x0e\x0f]/g;

export class SerialConsole {
  readonly #output: HTMLElement;
  #received = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(output: HTMLElement) {
    this.#output = output;
  }

  clear(): void {
    this.#received = "";
    this.#show();
  }

  put(byte: number): void {
    this.#received += String.fromCharCode(byte);
    this.#timer ??= setTimeout(() => this.#show(), PAUSE);
  }

  #show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#received = this.#received.slice(-LONGEST);
    const output = this.#output;
    const follows = output.scrollTop + output.clientHeight >= output.scrollHeight - 20;
    output.textContent = plain(this.#received);
    if (follows) output.scrollTop = output.scrollHeight;
  }
}

/** Without escape sequences; a backspace takes the character before it away. */
export function plain(received: string): string {
  const text = received.replace(SEQUENCES, "").replace(/\r/g, "");
  let shown = "";
  for (const part of text.split("\b")) shown = shown === "" ? part : shown.slice(0, -1) + part;
  return shown;
}
