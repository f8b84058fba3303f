/**
 * The descriptor's XML: read by a library that knows where in the text each element lies, and changed in the text itself, so
 * that whatever an edit does not concern stays as it is, byte for byte. No entity is expanded; size and depth have bounds.
 */
import { parseXml, XmlElement, XmlError, XmlText } from "@rgrove/parse-xml";
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { quote } from "../printable.js";
import { badBundle, unsupported } from "./bad-bundle.js";

export { XmlElement };

/** Room for more than 10,000 images and their snapshots; the worst text of that size takes a second and 128 MiB. */
const MAX_LENGTH = 2 ** 22;
/** An element costs memory that its few characters do not show. */
const MAX_MARKUP = 2 ** 18;
const MAX_DEPTH = 64;

/** The root element. @throws DiskError BAD_BUNDLE, TOO_LARGE, UNSUPPORTED */
export function parseDocument(text: string): XmlElement {
  requireBounded(text);
  if (text.includes("<!DOCTYPE"))
    throw unsupported("the descriptor has a DOCTYPE", "no entity is ever expanded; remove it with a text editor");
  const root = parse(text);
  if (depthOf(root) > MAX_DEPTH) throw tooDeep();
  return root;
}

/** How a text ends up in memory is bounded before anything is made of it. */
function requireBounded(text: string): void {
  if (text.length > MAX_LENGTH) throw tooLarge(counted(text.length, "character"), MAX_LENGTH);
  let markup = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) markup++;
  if (markup > MAX_MARKUP) throw tooLarge(counted(markup, "tag"), MAX_MARKUP);
}

function parse(text: string): XmlElement {
  // The library takes long for many carriage returns: white space of the same length means the same.
  const lines = text.replaceAll("\r\n", " \n").replaceAll("\r", "\n");
  try {
    const { root } = parseXml(lines, { includeOffsets: true, preserveComments: true });
    if (root !== null) return root;
  } catch (error) {
    if (!(error instanceof XmlError)) throw tooDeep(error); // it calls itself for every level
    const [fault] = error.message.split("\n");
    throw badBundle(`it is not XML that is well-formed: ${fault}`, { line: error.line, column: error.column }, error);
  }
  throw badBundle("it has no root element");
}

function depthOf(root: XmlElement): number {
  let depth = 0;
  for (let level = [root]; level.length > 0 && depth <= MAX_DEPTH; depth++)
    level = level.flatMap((one) => elementsOf(one));
  return depth;
}

function tooDeep(cause?: unknown): DiskError {
  return badBundle(`its elements are nested deeper than ${MAX_DEPTH}`, { limit: MAX_DEPTH }, cause);
}

function tooLarge(got: string, limit: number): DiskError {
  return new DiskError("TOO_LARGE", `the descriptor has ${got}, more than ${limit}: no disk needs that many`, {
    limit,
  });
}

/** The elements directly in one, by a name where one is given. */
export function elementsOf(parent: XmlElement, name?: string): XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement => child instanceof XmlElement && (name === undefined || child.name === name),
  );
}

/** The one element of this name; undefined where there is none. @throws DiskError BAD_BUNDLE where there are several */
export function findElement(parent: XmlElement, name: string): XmlElement | undefined {
  const [element, second] = elementsOf(parent, name);
  if (second !== undefined) throw badBundle(`${parent.name} has more than one ${name}`, { element: name });
  return element;
}

/** The one element of this name. @throws DiskError BAD_BUNDLE */
export function requireElement(parent: XmlElement, name: string): XmlElement {
  const element = findElement(parent, name);
  if (element === undefined) throw badBundle(`${parent.name} has no ${name}`, { element: name });
  return element;
}

/** The text in an element that holds nothing else but comments. @throws DiskError BAD_BUNDLE */
export function textOf(element: XmlElement): string {
  const inner = elementsOf(element)[0];
  if (inner !== undefined)
    throw badBundle(`${element.name} should hold text, but holds ${quote(inner.name)}`, { element: element.name });
  return textsIn(element)
    .map((node) => node.text)
    .join("");
}

/** The pieces of text in an element: comments part them. */
export function textsIn(element: XmlElement): XmlText[] {
  return element.children.filter((child) => child instanceof XmlText);
}

/** Text that means itself wherever it stands. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}
