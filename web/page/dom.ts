/** The page's elements: found by their ids, made with their properties. */
import { wordFor } from "../../src/count.js";

/** The element of an id. @throws Error where the page has none, or another kind */
export function part<T extends HTMLElement = HTMLElement>(id: string, kind?: new () => T): T {
  const element = document.getElementById(id);
  if (element === null || (kind !== undefined && !(element instanceof kind))) throw new Error(`the page has no ${id}`);
  return element as T;
}

/** Makes an element: properties as the DOM names them, `aria-...` and `data-...` as attributes. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> & Record<`aria-${string}` | `data-${string}`, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) element.setAttribute(key, String(value));
    else Object.assign(element, { [key]: value });
  }
  element.append(...children);
  return element;
}

/** A term and its description, for a `dl`; `aside` is said more quietly below. */
export function fact(term: string, description: string, aside?: string): HTMLElement {
  const value = make("dd", {}, description);
  if (aside !== undefined) value.append(make("small", {}, aside));
  return make("div", {}, make("dt", {}, term), value);
}

/** The value that a style sheet gives a custom property: canvases draw with the page's colours. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Calls back when the colours change: the system went from light to dark, or back. */
export function onColours(change: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", change);
}

/** "1 cluster", "1,024 clusters". */
export function many(count: number, noun: string, nouns?: string): string {
  return `${grouped(count)} ${wordFor(count, noun, nouns)}`;
}

/** Groups digits, so that a byte offset can be read. */
export function grouped(value: number): string {
  return value.toLocaleString("en");
}
