/**
 * A guest in one sector. It reads a sector in which it counts its starts, adds one, writes it back, reads it again,
 * compares, and tells all that on the first serial port:
 *
 *     Parablock boot sector
 *     before: 0
 *     writing
 *     written: 1
 *
 * It says "written" only if the write was acknowledged without an error and the same bytes came back.
 */
import { Assembler } from "./assembler.js";

export interface BootSectorOptions {
  /**
   * How the sector is written: "bios" asks INT 13h, which writes by PIO; "dma" programs the IDE controller, as the
   * drivers of operating systems do, and waits until it says that the disk has the data. Default: "bios".
   */
  write?: "bios" | "dma";
  /** Which sector counts, by number. Default: 2047, the last one before where partitions begin. */
  counterSector?: number;
}

export const DEFAULT_COUNTER_SECTOR = 2047;
/** What the counter's sector holds behind the digit once it was written. */
export const COUNTER_FILL = 0x5a;

const ORIGIN = 0x7c00;
const CODE_LIMIT = 446;
/** Where the sector is put together, where it is read back to, and where the DMA controller finds its table. */
const [BUFFER, READ_BACK, TABLE] = [0x8000, 0x8200, 0x8400];
const [low, high] = [(value: number) => value & 0xff, (value: number) => (value >> 8) & 0xff];

/** 512 bytes that a BIOS boots. */
export function bootSector({ write = "bios", counterSector = DEFAULT_COUNTER_SECTOR }: BootSectorOptions = {}) {
  const code = new Assembler(ORIGIN);
  addProgram(code);
  if (write === "bios") addBiosWrite(code);
  else addDmaWrite(code, counterSector);
  addTransfer(code);
  addPrinting(code);
  addData(code, counterSector);
  const sector = new Uint8Array(512);
  sector.set(code.assemble(CODE_LIMIT));
  sector.set([0x55, 0xaa], 510);
  return sector;
}

function addProgram(code: Assembler): void {
  const say = (message: string) => code.code(0xbe, message).go("call", "print"); // mov si, message
  code.code(0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0); // cli; xor ax,ax; mov ds,es,ss,ax
  code.code(0xbc, low(ORIGIN), high(ORIGIN), 0xfb, 0xfc, 0x88, 0x16, "drive"); // mov sp,ORIGIN; sti; cld; mov [drive],dl
  say("title");
  code.code(0xb4, 0x42, 0xbb, low(BUFFER), high(BUFFER)).go("call", "transfer").go("jb", "failed"); // read
  code.code(0xa0, low(BUFFER), high(BUFFER), 0x3c, 0x30).go("jb", "first"); // mov al,[BUFFER]; below '0'
  code.code(0x3c, 0x39).go("jbe", "counted"); // up to '9'
  code.label("first").code(0xb0, 0x30); // mov al,'0'
  code.label("counted").code(0xa2, "digit");
  say("before");
  code.code(0xa0, "digit", 0xfe, 0xc0, 0x3c, 0x3a, 0x75, 0x02, 0xb0, 0x30, 0xa2, "digit"); // one more; '0' after '9'
  code.code(0xbf, low(BUFFER), high(BUFFER), 0xb9, 0x00, 0x02); // mov di,BUFFER; mov cx,512
  code.code(0xb0, COUNTER_FILL, 0xf3, 0xaa, 0xa0, "digit", 0xa2, low(BUFFER), high(BUFFER)); // rep stosb; the digit
  say("writing");
  code.go("call", "write").go("jb", "failed");
  code.code(0xb4, 0x42, 0xbb, low(READ_BACK), high(READ_BACK)).go("call", "transfer").go("jb", "failed");
  code.code(0xbe, low(BUFFER), high(BUFFER), 0xbf, low(READ_BACK), high(READ_BACK), 0xb9, 0x00, 0x02);
  code.code(0xf3, 0xa6).go("jnz", "failed"); // repe cmpsb
  say("written");
  code.label("halt").code(0xf4).go("jmp", "halt");
  code.label("failed");
  say("failure");
  code.go("jmp", "halt");
}

function addBiosWrite(code: Assembler): void {
  code.label("write").code(0xb8, 0x00, 0x43, 0xbb, low(BUFFER), high(BUFFER)); // INT 13h, AX=4300h; into "transfer"
}

/** WRITE DMA on the first channel's first drive; waits until the controller says that the transfer is done. */
function addDmaWrite(code: Assembler, sector: number): void {
  const out = (port: number, value: number) => code.code(0xba, low(port), high(port), 0xb0, value, 0xee); // mov dx,port; mov al,value; out dx,al
  code.label("write");
  // PCI BIOS: find class 01-01-80 (AX=B103h), then read its fifth base address (AX=B10Ah): the bus master's ports.
  code.code(0xb8, 0x03, 0xb1, 0x66, 0xb9, 0x80, 0x01, 0x01, 0x00, 0x31, 0xf6, 0xcd, 0x1a).go("jb", "answer");
  code.code(0xb8, 0x0a, 0xb1, 0xbf, 0x20, 0x00, 0xcd, 0x1a).go("jb", "answer");
  code.code(0x80, 0xe1, 0xf0, 0x51); // and cl,F0h; push cx
  code.code(0x66, 0xc7, 0x06, low(TABLE), high(TABLE), low(BUFFER), high(BUFFER), 0, 0); // the table: one piece,
  code.code(0x66, 0xc7, 0x06, low(TABLE + 4), high(TABLE + 4), 0x00, 0x02, 0x00, 0x80); // 512 bytes, the last
  code.code(0x89, 0xca, 0x83, 0xc2, 0x04, 0x66, 0xb8, low(TABLE), high(TABLE), 0, 0, 0x66, 0xef); // its address
  out(0x3f6, 2); // no interrupt: nobody would take it
  out(0x1f6, 0xe0 | ((sector >> 24) & 0xf));
  out(0x1f2, 1);
  out(0x1f3, sector & 0xff);
  out(0x1f4, (sector >> 8) & 0xff);
  out(0x1f5, (sector >> 16) & 0xff);
  out(0x1f7, 0xca);
  code.code(0x5a, 0xb0, 0x01, 0xee, 0x83, 0xc2, 0x02); // pop dx; start; its status port
  code.label("busy").code(0xec, 0xa8, 0x01).go("jnz", "busy"); // in al,dx; test al,1
  out(0x3f6, 0);
  code.code(0xba, 0xf7, 0x01, 0xec, 0xa8, 0x21).go("jz", "answer").code(0xf9); // ERR or DF: stc
  code.label("answer").code(0xc3);
}

/** One sector by INT 13h: AH is the function, BX the buffer; carry says that it failed. */
function addTransfer(code: Assembler): void {
  code.label("transfer").code(0x89, 0x1e, "address", 0xbe, "packet", 0x8a, 0x16, "drive", 0xcd, 0x13, 0xc3);
}

/** Prints what DS:SI points to, up to a zero; "#" stands for the digit. */
function addPrinting(code: Assembler): void {
  code.label("print").code(0xac, 0x84, 0xc0).go("jz", "printed"); // lodsb; test al,al
  code.code(0x3c, 0x23, 0x75, 0x03, 0xa0, "digit", 0x88, 0xc4); // '#': mov al,[digit]; mov ah,al
  code.label("wait").code(0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20).go("jz", "wait"); // the transmitter is empty?
  code.code(0xba, 0xf8, 0x03, 0x88, 0xe0, 0xee).go("jmp", "print");
  code.label("printed").code(0xc3);
}

function addData(code: Assembler, sector: number): void {
  code.label("title").text("Parablock boot sector\r\n");
  code.label("before").text("before: #\r\n");
  code.label("writing").text("writing\r\n");
  code.label("written").text("written: #\r\n");
  code.label("failure").text("the disk failed\r\n");
  code.label("drive").code(0x80).label("digit").code(0x30);
  // INT 13h's packet: its size, one sector, the buffer, the sector's number.
  code.label("packet").code(0x10, 0, 1, 0).label("address").code(0, 0, 0, 0);
  code.code(low(sector), high(sector), (sector >> 16) & 0xff, (sector >> 24) & 0xff, 0, 0, 0, 0);
}
