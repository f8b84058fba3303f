/** Files on a web server whose URLs have a common beginning. Read-only; which there are, only a user can know. */
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";
import { type FolderOpenOptions, requireFileName, requireOpenOptions } from "./folder.js";
import { absoluteUrl, HttpStorage } from "./http.js";
import { type HttpOptions, httpSettings } from "./http-options.js";
import { ReadOnlyFolder } from "./read-only-folder.js";

/** What holds for every file of a folder: all but what is known of one alone. */
export type HttpFolderOptions = Omit<HttpOptions, "expect">;

export class HttpFolder extends ReadOnlyFolder {
  readonly #options: HttpFolderOptions;

  /**
   * @param prefix the folder's URL; a query in it, as of a signature, goes to every file's
   * @throws TypeError, RangeError
   */
  constructor(prefix: string | URL, options: HttpFolderOptions = {}) {
    super(absoluteUrl(prefix));
    httpSettings(options);
    if ((options as HttpOptions).expect !== undefined)
      throw new TypeError("expect: expected none, as it is of one file: open that with HttpStorage");
    this.#options = { ...options };
  }

  /** @throws DiskError UNSUPPORTED */
  list(): never {
    const message = `${shownName(this.path)}: over HTTP there is no list of the files in a folder: open them by their names`;
    throw new DiskError("UNSUPPORTED", message, { url: this.path });
  }

  /** @throws DiskError as `HttpStorage.open` */
  async open(name: string, options: FolderOpenOptions = {}): Promise<HttpStorage> {
    requireOpenOptions(options);
    return HttpStorage.open(this.#urlOf(name), this.#options);
  }

  #urlOf(name: string): URL {
    requireFileName(name);
    const url = new URL(this.path);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${encodeURIComponent(name)}`;
    url.hash = "";
    return url;
  }
}
