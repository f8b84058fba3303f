/** Changes of a descriptor's text. They are gathered as replaced pieces and made at once; the rest of the text stays. */
import { escapeText, textsIn, type XmlElement } from "./xml.js";

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

  /** Has an element that holds text hold another; its attributes and comments stay. */
  setText(element: XmlElement, value: string): void {
    const [first, ...others] = textsIn(element);
    this.#replace(first.start, first.end, escapeText(value));
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

  /** Adds an element that holds text behind the last one inside another. */
  addInside(element: XmlElement, name: string, value: string): void {
    const last = element.children.filter((child) => child.type === "element").at(-1);
    if (last === undefined) return;
    const text = `${this.#indentOf(last)}<${name}>${escapeText(value)}</${name}>`;
    this.#replace(last.end, last.end, text);
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
