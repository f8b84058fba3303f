/** The folders of this library that need nothing of Node, for the contract suite: here and in browsers. */
import type { Folder } from "../../src/storage/folder.js";
import { HttpFolder } from "../../src/storage/http-folder.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { PickedFolder } from "../../src/storage/picked-folder.js";
import { rangeServer } from "../support/range-server.js";
import type { Files, FolderKit } from "./folder-contract.js";

export const neutralFolderKits: readonly FolderKit[] = [
  {
    name: "MemoryFolder",
    sync: true,
    flat: true,
    faces: ["async", "sync"],
    ...held((files) => new MemoryFolder(Object.entries(files)), true),
  },
  { name: "PickedFolder", readOnly: true, faces: ["async"], ...held((files) => new PickedFolder(filesOf(files))) },
  { name: "HttpFolder", readOnly: true, listless: true, faces: ["async"], ...held(served) },
];

/** Where `lasting`, the folder itself is what is left behind. */
function held(open: (files: Files) => Folder, lasting = false): Pick<FolderKit, "make" | "reopen"> {
  let files: Files;
  let folder: Folder;
  const make = (given: Files) => {
    files = given;
    folder = open(files);
    return folder;
  };
  return { make, reopen: () => (lasting ? folder : open(files)) };
}

const filesOf = (files: Files): File[] => Object.entries(files).map(([name, content]) => new File([content], name));

function served(files: Files): Folder {
  const servers = new Map(Object.entries(files).map(([name, content]) => [name, rangeServer(() => content).fetch]));
  return new HttpFolder("http://disk.test/some%20folder?token=1", {
    fetch: async (url, init) => {
      const { pathname, search } = new URL(url);
      const name = /^\/some%20folder\/([^/]+)$/.exec(pathname)?.[1];
      const server = search === "?token=1" && servers.get(decodeURIComponent(name ?? ""));
      return server ? server(url, init) : new Response(null, { status: 404 });
    },
  });
}
