/** Pixels of RGB565, the low byte first, as a portable pixmap (netpbm, ppm(5)); `null` for a wrong number of bytes. */
export function pictureOf(pixels: Buffer, width: number, height: number): Buffer | null {
  if (width === 0 || height === 0 || pixels.length !== width * height * 2) {
    return null
  }
  const colours = Buffer.alloc(width * height * 3)
  for (let at = 0; at < width * height; at += 1) {
    const pixel = pixels.readUInt16LE(at * 2)
    colours[at * 3] = scaled(pixel >> 11, 31)
    colours[at * 3 + 1] = scaled((pixel >> 5) & 63, 63)
    colours[at * 3 + 2] = scaled(pixel & 31, 31)
  }
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), colours])
}

function scaled(value: number, most: number): number {
  return Math.round((value * 255) / most)
}
