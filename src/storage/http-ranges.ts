/** A file on a server as a source of ranges, each bound to the version of the file that the first answer was from. */
import type { BlockSource } from "./block-cache.js";
import { BodySink } from "./http-body.js";
import type { Exchange, HttpRequests } from "./http-requests.js";
import { checkResponse } from "./http-response.js";
import type { ExpectedVersion, FileVersion } from "./http-version.js";
import { isWholeFile, type WholeFile, type WholeSettings, wholeFrom } from "./http-whole.js";

export class HttpRanges implements BlockSource {
  readonly #requests: HttpRequests;
  readonly #expected: ExpectedVersion;
  #version: FileVersion | undefined;

  constructor(requests: HttpRequests, expected: ExpectedVersion) {
    this.#requests = requests;
    this.#expected = expected;
  }

  /** What the first answer said. */
  get version(): FileVersion {
    return this.#version!;
  }

  /**
   * The first request, by GET, as servers answer HEAD otherwise: it brings the file's length and version, or the file
   * itself where that is allowed and the server sends nothing less. It asks for two bytes: where one would do,
   * "bytes=0-0", some servers take the last 0 for none and send everything.
   */
  async probe(whole: WholeSettings): Promise<WholeFile | undefined> {
    const exchange = this.#exchange(new BodySink([new Uint8Array(2)], 0, () => {}));
    return this.#requests.exchange<WholeFile | undefined>({
      ...exchange,
      take: (request, response, pour) =>
        isWholeFile(response, whole)
          ? wholeFrom(request, response, pour, whole)
          : exchange.take(request, response, pour).then(() => undefined),
    });
  }

  async fill(parts: readonly Uint8Array[], offset: number, filled: (index: number) => void): Promise<void> {
    const isFirstByte = offset === 0 && parts.length === 1 && parts[0].length === 1;
    if (isFirstByte && this.version.total > 1) return this.#fillFirst(parts[0], filled);
    await this.#requests.exchange(this.#exchange(new BodySink(parts, offset, filled)));
  }

  /** The first byte alone: it is asked for with the second one, as in `probe`. */
  #fillFirst(part: Uint8Array, filled: (index: number) => void): Promise<void> {
    return this.fill([part, new Uint8Array(1)], 0, (index) => index === 0 && filled(0));
  }

  #exchange(sink: BodySink): Exchange<void> {
    return {
      range: () => ({ start: sink.position, end: sink.end }),
      rewind: () => sink.rewind(),
      take: async (request, response, pour) => {
        const version = checkResponse(request, response, this.#expected, this.#version);
        this.#version ??= version;
        sink.endAt(version.total);
        if (version.total === 0) return;
        sink.begin(response);
        await pour((bytes) => sink.put(bytes, request));
        sink.finish();
      },
    };
  }
}
