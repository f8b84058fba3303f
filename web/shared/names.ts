/** Names of files as every file system and every browser takes them. */

/** 200 characters of 1 byte, or as many as fit; a number may follow. */
const LONGEST = 200;

/** The name, with a dash for what some system does not take; something where nothing is left. */
export function safeName(name: string): string {
  const safe = name.replace(/[/\\:*?"<>|\p{Cc}\p{Cs}]/gu, "-").replace(/^\.+/, "");
  return shortened(safe) || "disk";
}

/** Shortened before its ending, which says what the file is. */
function shortened(name: string): string {
  const [, stem = "", ending = ""] = /^(.*?)(\.[^.]{1,8})?$/su.exec(name) ?? [];
  const characters = [...stem];
  while (new TextEncoder().encode(characters.join("") + ending).length > LONGEST) characters.pop();
  return characters.join("") + ending;
}
