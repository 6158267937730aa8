// Image files, in any format that the browser can decode.

export const LARGEST_SIDE = 6000;

const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx"];
const ASCII = new TextDecoder("latin1");

/**
 * Why a file cannot be shown. `kind` is "heic", "format" (`clearcnn predict` can read it, browsers
 * cannot), "large" or "broken"; `values` stand in the text of that kind.
 */
export class ImageError extends Error {
  constructor(kind, values = {}) {
    super(`image: ${kind}`);
    Object.assign(this, { kind, values });
  }
}

/** Decode a file or blob; the caller closes the ImageBitmap. Rejects with an ImageError. */
export async function readImage(file) {
  const image = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(async () => {
    throw await explain(file);
  });
  const { width, height } = image;
  if (Math.max(width, height) > LARGEST_SIDE) {
    image.close();
    throw new ImageError("large", { width, height, most: LARGEST_SIDE });
  }
  if (await isTruncated(file)) {
    image.close();
    throw new ImageError("broken");
  }
  return image;
}

/** Browsers fill the missing rows of a JPEG with grey; `clearcnn predict` rejects it. */
async function isTruncated(file) {
  const [first, second] = await bytesOf(file, 0, 2);
  if (first !== 0xff || second !== 0xd8) return false;
  const bytes = await bytesOf(file, 0, file.size);
  for (let at = bytes.length - 2; at > 0; at--)
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return false;
  return true;
}

async function explain(file) {
  const start = ASCII.decode(await bytesOf(file, 0, 64).catch(() => new Uint8Array()));
  if (start.slice(4, 8) === "ftyp" && HEIC.some((brand) => start.slice(8).includes(brand)))
    return new ImageError("heic");
  if (/^(II\*\0|MM\0\*)/.test(start)) return new ImageError("format", { format: "TIFF" });
  if (/^P[1-6]\s/.test(start)) return new ImageError("format", { format: "PNM" });
  return new ImageError("broken");
}

const bytesOf = async (file, from, to) =>
  new Uint8Array(await file.slice(from, to).arrayBuffer());
