/** What an XML document says, by the library alone: no code of ours has a part in it. */
import { parseXml, XmlComment, XmlElement, XmlProcessingInstruction, XmlText } from "@rgrove/parse-xml";

/** A document as nested lists: elements with attributes in order, text, comments. White space between elements is none. */
export type Meaning = string | { name: string; attributes: [string, string][]; content: Meaning[] };

export function meaningOf(text: string): Meaning[] {
  const { children } = parseXml(text, { preserveComments: true, preserveCdata: true, preserveXmlDeclaration: true });
  return children.flatMap(meanings);
}

function meanings(node: object): Meaning[] {
  if (node instanceof XmlElement)
    return [{ name: node.name, attributes: Object.entries(node.attributes), content: node.children.flatMap(meanings) }];
  if (node instanceof XmlText) return node.text.trim() === "" ? [] : [node.text.trim()];
  if (node instanceof XmlComment) return [`comment ${node.content}`];
  if (node instanceof XmlProcessingInstruction) return [`instruction ${node.name} ${node.content}`];
  return [`declaration ${JSON.stringify(node)}`];
}
