const SLAB_BYTES = 1 << 26;

/** Texts that are seldom read, outside the heap of JavaScript. */
export const makeShelf = () => {
  const slabs: Buffer[] = [];
  let used = SLAB_BYTES;
  return {
    /** Gives where it is. */
    put: (text: string): number => {
      const bytes = Buffer.byteLength(text);
      if (used + 4 + bytes > SLAB_BYTES) {
        slabs.push(Buffer.allocUnsafe(SLAB_BYTES));
        used = 0;
      }
      const slab = slabs.at(-1) as Buffer;
      slab.writeUInt32LE(bytes, used);
      slab.write(text, used + 4);
      const place = (slabs.length - 1) * SLAB_BYTES + used;
      used += 4 + bytes;
      return place;
    },
    read: (place: number): string => {
      const slab = slabs[Math.floor(place / SLAB_BYTES)] as Buffer;
      const start = place % SLAB_BYTES;
      return slab.toString('utf8', start + 4, start + 4 + slab.readUInt32LE(start));
    },
    bytes: (): number => Math.max(0, slabs.length - 1) * SLAB_BYTES + (slabs.length === 0 ? 0 : used),
  };
};
