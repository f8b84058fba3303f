/**
 * A descriptor's bytes <-> its text. UTF-8, and UTF-16 where a byte order mark says so, as tools on Windows write it. The
 * mark stays in the text, so that text and encoding together give the same bytes again.
 */
import { quote } from "../printable.js";
import { badBundle, unsupported } from "./bad-bundle.js";

export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** The text in a file's bytes. @throws DiskError UNSUPPORTED for other encodings, BAD_BUNDLE for bytes that are no text */
export function decodeText(bytes: Uint8Array): { text: string; encoding: Encoding } {
  const encoding = encodingOf(bytes);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badBundle(`its bytes are not ${encoding.toUpperCase()}`, { encoding }, cause);
  }
  requireDeclared(text, encoding);
  return { text, encoding };
}

/** The bytes of a text. */
export function encodeText(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) view.setUint16(2 * at, text.charCodeAt(at), encoding === "utf-16le");
  return bytes;
}

function encodingOf(bytes: Uint8Array): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0 || bytes[1] === 0)
    throw unsupported(
      "the descriptor is in UTF-16 or UTF-32 without a byte order mark",
      "save it as UTF-8 with a text editor",
    );
  return "utf-8";
}

/** What the XML declaration says must be what the bytes are: else names would change with every rewrite. */
function requireDeclared(text: string, encoding: Encoding): void {
  const declared = /^\ufeff?<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']/.exec(text.slice(0, 1000))?.[1];
  const expected = encoding === "utf-8" ? /^(utf-?8|us-ascii)$/i : /^utf-?16(le|be)?$/i;
  if (declared === undefined || expected.test(declared)) return;
  throw unsupported(
    `the descriptor says that its encoding is ${quote(declared)}, and it was read as ${encoding.toUpperCase()}`,
    "save it as UTF-8, in its first line too, with a text editor",
    { declared, encoding },
  );
}
