/** Descriptors as text, written from plain data by no code of the product. Sectors. */

export interface Written {
  root: string;
  size: number | string;
  parameters: string;
  storages: WrittenStorage[];
  top: string | undefined;
  shots: { guid: string; parent: string }[];
}

export interface WrittenStorage {
  start: number | string;
  end: number | string;
  blocksize: number | string;
  images: { guid: string; type: string; file: string }[];
}

export const NONE = "{00000000-0000-0000-0000-000000000000}";
export const TOP = "{5fbaabe3-6958-40ff-92a7-860e329aab41}";

/** The nth GUID of a test. */
export const guid = (number: number): `{${string}}` =>
  `{${number.toString(16).padStart(8, "0")}-1111-4222-8333-${(number * 7919).toString(16).padStart(12, "0")}}`;

/** A chain of snapshots, the last of which is the top: one storage. */
export function chainOf(...guids: string[]): Written {
  const images = guids.map((one) => ({ guid: one, type: "Compressed", file: `disk.hdd.0.${one}.hds` }));
  return {
    ...{ root: "Parallels_disk_image", size: 2048, parameters: "<Padding>0</Padding>", top: undefined },
    storages: [{ start: 0, end: 2048, blocksize: 128, images }],
    shots: guids.map((one, index) => ({ guid: one, parent: guids[index - 1] ?? NONE })),
  };
}

const element = (name: string, content: string | number) => `<${name}>${content}</${name}>`;

export function write({ root, size, parameters, storages, top, shots }: Written): string {
  const storageText = storages.map(({ start, end, blocksize, images }) => {
    const imageText = images.map((image) =>
      element("Image", element("GUID", image.guid) + element("Type", image.type) + element("File", image.file)),
    );
    const bounds = element("Start", start) + element("End", end) + element("Blocksize", blocksize);
    return element("Storage", `${bounds}\n${imageText.join("\n")}`);
  });
  const shotText = shots.map((shot) =>
    element("Shot", element("GUID", shot.guid) + element("ParentGUID", shot.parent)),
  );
  const topText = top === undefined ? "" : element("TopGUID", top);
  return `<?xml version="1.0" encoding="UTF-8"?>
<${root} Version="1.0"><Disk_Parameters>${element("Disk_size", size)}${parameters}</Disk_Parameters>
<StorageData>${storageText.join("\n")}</StorageData>
<Snapshots>${topText}${shotText.join("\n")}</Snapshots></${root}>
`;
}
