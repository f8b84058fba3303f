/** Changes of a descriptor's text. They are gathered as replaced pieces and made at once; the rest of the text stays. */
import { elementsOf, escapeText, findElement, textsIn, type XmlElement } from "./xml.js";

interface Piece {
  start: number;
  end: number;
  text: string;
}

export class Edit {
  readonly #text: string;
  readonly #pieces: Piece[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** Has an element that holds text, or nothing, hold another; its attributes and comments stay. */
  setText(element: XmlElement, value: string): void {
    const [first, ...others] = textsIn(element);
    if (first === undefined) this.#fill(element, escapeText(value));
    else this.#replace(first.start, first.end, escapeText(value));
    for (const { start, end } of others) this.#replace(start, end, "");
  }

  /** Removes an element, and the white space that set it apart. */
  remove(element: XmlElement): void {
    this.#replace(element.start - this.#indentOf(element).length, element.end, "");
  }

  /** Adds an element of the same kind behind another one, laid out like it, that holds these fields. */
  addAfter(element: XmlElement, fields: Readonly<Record<string, string>>): void {
    const { name } = element;
    const first = element.children.find((child) => child.type === "element");
    const inner = first === undefined ? "" : this.#indentOf(first);
    const close = this.#indentOf({ start: this.#text.lastIndexOf("</", element.end - 1) });
    const body = Object.entries(fields).map(([field, value]) => `${inner}<${field}>${escapeText(value)}</${field}>`);
    const text = `${this.#indentOf(element)}<${name}>${body.join("")}${close}</${name}>`;
    this.#replace(element.end, element.end, text);
  }

  /** Has the element of this name in another one hold a text; where there is none, it comes behind the last one. */
  setField(parent: XmlElement, name: string, value: string): void {
    const element = findElement(parent, name);
    if (element !== undefined) {
      this.setText(element, value);
      return;
    }
    const last = elementsOf(parent).at(-1);
    const text = `<${name}>${escapeText(value)}</${name}>`;
    if (last === undefined) this.#fill(parent, text);
    else this.#replace(last.end, last.end, this.#indentOf(last) + text);
  }

  /** The new text. */
  apply(): string {
    const pieces = [...this.#pieces].sort((a, b) => a.start - b.start || a.end - b.end);
    const parts: string[] = [];
    let at = 0;
    for (const { start, end, text } of pieces) {
      parts.push(this.#text.slice(at, start), text);
      at = end;
    }
    return parts.join("") + this.#text.slice(at);
  }

  /** Puts a text into an element, before its end tag; one that is only a tag gets one. */
  #fill({ name, start, end }: XmlElement, text: string): void {
    if (this.#text.slice(start, end).endsWith("/>")) this.#replace(end - 2, end, `>${text}</${name}>`);
    else {
      const close = this.#text.lastIndexOf("</", end - 1);
      this.#replace(close, close, text);
    }
  }

  #replace(start: number, end: number, text: string): void {
    this.#pieces.push({ start, end, text });
  }

  /** The white space directly before something. */
  #indentOf({ start }: { start: number }): string {
    let from = start;
    while (/[ \t\r\n]/.test(this.#text.charAt(from - 1))) from--;
    return this.#text.slice(from, start);
  }
}
