/**
 * Text from outside on its way into a message: bounded, on one line, and nothing in it that a terminal or a reader
 * would obey. Whatever enters a message of ours passes here; no bytes of anybody's data do.
 */

/** Control characters, line ends, halves of characters, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;
const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Most characters of a value in a message; of a name, which a reader must know again; of a whole message. */
const VALUE_LENGTH = 80;
const NAME_LENGTH = 300;
const MESSAGE_LENGTH = 1000;

/** Text with everything unprintable written as JSON writes it, so that JSON stays what it is. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT[character] ?? escaped(character));
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A name that others chose: a path, a URL, a header. */
export function shownName(name: string): string {
  return shortPrintable(name, NAME_LENGTH);
}

/** A whole message of ours. */
export function oneLine(message: string): string {
  return shortPrintable(message, MESSAGE_LENGTH);
}

/** What others wrote, of any number of lines. */
export function shownMessage(text: string): string {
  return oneLine(
    shortened(text, 2 * MESSAGE_LENGTH)
      .replace(/\s*[\r\n]\s*/g, " ")
      .trim(),
  );
}

/** A value that was not expected, so that a reader knows it again. Nothing is asked of it that could fail. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string":
      return shortPrintable(JSON.stringify(shortened(value, VALUE_LENGTH)), 2 * VALUE_LENGTH);
    case "symbol":
      return shortPrintable(String(value), VALUE_LENGTH);
    case "bigint":
      return value > -(2n ** 128n) && value < 2n ** 128n ? `${value}n` : "a huge BigInt";
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : kindOf(value);
    default:
      return String(value);
  }
}

/** An object by its class: "an Array", "a Promise". */
export function kindOf(value: object): string {
  const name = classOf(value);
  if (name === undefined || name === "Object") return "an object";
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

function classOf(value: object): string | undefined {
  try {
    const name: unknown = value.constructor?.name;
    return typeof name === "string" && name !== "" ? shortPrintable(name, VALUE_LENGTH) : undefined;
  } catch {
    return undefined; // a proxy, or a getter, that throws
  }
}

/** Shortened first, so that text of any size costs little, and again, as what is escaped grows. */
function shortPrintable(text: string, length: number): string {
  return shortened(printable(shortened(text, length)), length);
}

/** The beginning and the end say more than the middle: what was tried, and what to do. No character is halved. */
function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = Math.floor(length / 3);
  const head = text.slice(0, length - end - 3).replace(/[\ud800-\udbff]$/, "");
  return `${head}...${text.slice(-end).replace(/^[\udc00-\udfff]/, "")}`;
}
