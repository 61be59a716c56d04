"use strict";
// A .zip of files as they are, not compressed (PKWARE's APPNOTE.TXT, version 2.0: local headers, central
// directory, end record; names in UTF-8).

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  }
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = CRC_TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

/** A Blob. files: [{name, bytes: Uint8Array, when: Date}], names with / between folders, each once; together
 * less than 4 GB and 65535. */
function zipOf(files) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const { name, bytes, when } of files) {
    const path = new TextEncoder().encode(name);
    const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
    const day = ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate();
    // version 2.0; names in UTF-8; stored; both lengths are the same; no extra field
    const facts = [20, 2, 0x800, 2, 0, 2, time, 2, day, 2, crc32(bytes), 4, bytes.length, 4, bytes.length, 4, path.length, 2, 0, 2];
    const head = [record(0x04034b50, 4, ...facts), path];
    directory.push(record(0x02014b50, 4, 20, 2, ...facts, 0, 2, 0, 2, 0, 2, 0, 4, at, 4), path);
    parts.push(...head, bytes);
    at += head[0].length + path.length + bytes.length;
  }
  const size = directory.reduce((sum, each) => sum + each.length, 0);
  const count = files.length;
  const end = record(0x06054b50, 4, 0, 2, 0, 2, count, 2, count, 2, size, 4, at, 4, 0, 2);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Bytes of whole numbers, little-endian: value, how many bytes it takes, value, ... */
function record(...fields) {
  const bytes = [];
  for (let i = 0; i < fields.length; i += 2) {
    for (let k = 0; k < fields[i + 1]; k++) {
      bytes.push(Math.floor(fields[i] / 256 ** k) & 255);
    }
  }
  return Uint8Array.from(bytes);
}
