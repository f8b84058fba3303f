/** Block devices that are no disk of ours, served to the other end of a port: what they lack is said, and no more. */
import { describe, expect, it } from "vitest";
import { type BlockDevice, connectDisk, MemoryStorage, rawDevice, serveDisk } from "../../src/index.js";

async function served(device: BlockDevice) {
  const { port1, port2 } = new MessageChannel();
  const server = serveDisk(port1, device);
  return { disk: await connectDisk(port2), server };
}

describe("A device that is served", () => {
  it("is a raw one: read, written, described and closed", async () => {
    const storage = new MemoryStorage(new Uint8Array(4096));
    const { disk, server } = await served(await rawDevice(storage));
    expect(disk).toMatchObject({ size: 4096, readOnly: false, format: undefined, clusterCount: 8 });
    await disk.write(Uint8Array.of(1, 2, 3), 512);
    const bytes = new Uint8Array(3);
    await disk.read(bytes, 512);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
    expect(await disk.status()).toEqual([{ offset: 0, length: 4096, kind: "data", layer: 0, fileOffset: 0 }]);
    await disk.flush();
    await expect(disk.check()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(disk.info).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await disk.close();
    await server.ended;
    expect(() => storage.read(bytes, 0)).toThrow(/closed/);
  });

  it("has a size and a read, and nothing else", async () => {
    const { disk, server } = await served({ size: 512, read: async (buffer) => void buffer.fill(7) });
    expect(disk.readOnly).toBe(true);
    const bytes = new Uint8Array(4);
    await disk.read(bytes, 0);
    expect([...bytes]).toEqual([7, 7, 7, 7]);
    await expect(disk.write(bytes, 0)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await disk.flush();
    await disk.close();
    await server.ended;
  });

  it("has its verbs from its class", async () => {
    class Device implements BlockDevice {
      readonly size = 512;
      written = 0;
      async read() {}
      async write() {
        this.written++;
      }
    }
    const device = new Device();
    const { disk } = await served(device);
    expect(disk.readOnly).toBe(false);
    await disk.write(new Uint8Array(1), 0);
    expect(device.written).toBe(1);
    await disk.close();
  });
});
