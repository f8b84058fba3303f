/** What files of other formats are known by, written down anew from their specifications: the tests' own table. */

export interface ForeignBytes {
  /** As messages name it. */
  name: string;
  /** Where the bytes lie; negative: from the end. */
  at: number;
  /** As Latin-1. */
  bytes: string;
  /** No other byte will do. */
  exact: boolean;
}

const binary = (name: string, bytes: string, at = 0): ForeignBytes => ({ name, at, bytes, exact: true });
const text = (name: string, bytes: string): ForeignBytes => ({ name, at: 0, bytes, exact: false });

export const FOREIGN_BYTES: readonly ForeignBytes[] = [
  binary("a qcow2 image", "QFI\xfb"),
  text("a qcow image", "QFI\xfb\0\0\0\x01"),
  binary("a QED image", "QED\0"),
  binary("a VMDK image", "KDMV"),
  binary("a VMDK image", "COWD"),
  binary("a VMDK image", "\xbe\xba\xfe\xca\0\0\0\0"),
  text("a VMDK image", "# Disk DescriptorFile\nversion=1\n"),
  binary("a VDI image", "\x7f\x10\xda\xbe", 64),
  text("a VDI image", "<<< Oracle VM VirtualBox Disk Image >>>\n"),
  text("a VDI image", "<<< QEMU VM Virtual Disk Image >>>\n"),
  binary("a VHDX image", "vhdxfile"),
  binary("a VHD image", "conectix"),
  binary("a VHD image", "conectix", -512),
  binary("an Apple disk image (DMG)", "koly\0\0\0\x04", -512),
  binary("an Apple disk image (DMG)", "encrcdsa"),
  binary("an Apple disk image (DMG)", "sprs"),
  binary("a Bochs image", "Bochs Virtual HD Image"),
  binary("packed with gzip", "\x1f\x8b\x08"),
  text("packed with bzip2", "BZh91AY&SY"),
  binary("packed with xz", "\xfd7zXZ\0"),
  binary("packed with zstd", "\x28\xb5\x2f\xfd"),
  binary("packed with lz4", "\x04\x22\x4d\x18"),
  binary("packed with lzip", "LZIP\x01"),
  binary("packed with compress", "\x1f\x9d\x90"),
  binary("a zip archive", "PK\x03\x04"),
  binary("a zip archive", "PK\x05\x06"),
  binary("a 7-Zip archive", "7z\xbc\xaf\x27\x1c"),
  binary("a RAR archive", "Rar!\x1a\x07"),
  binary("a tar archive (as OVA files are)", "ustar", 257),
  text("a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:"),
  text("a git-annex pointer", "/annex/objects/SHA256E-s1048576--0.hds\n"),
  text(
    "the descriptor of a bundle (DiskDescriptor.xml)",
    "<?xml version='1.0' encoding='UTF-8'?>\n<Parallels_disk_image Version=\"1.0\">",
  ),
  text("the descriptor of a bundle (DiskDescriptor.xml)", "\xef\xbb\xbf<!-- ploop -->\n<Virtuozzo_disk_image>"),
  text("a page of HTML or XML", "<!DOCTYPE html>"),
  text("a page of HTML or XML", "\n <html lang=en>"),
  text("a page of HTML or XML", '<?xml version="1.0"?><Error><Code>NoSuchKey</Code>'),
  text("a Parallels image with a damaged header", "WithoutFreeSpacX"),
];
