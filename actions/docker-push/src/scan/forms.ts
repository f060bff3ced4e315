/** A value shorter than this is in every image by chance, and is not searched for; bytes. */
export const SHORTEST_SECRET = 6;

/** A line of a secret of several lines is searched for by itself from this length on, bytes. */
const SHORTEST_LINE = 16;

/**
 * The forms in which a secret value ends up in an image: as it is, as base64
 * at any alignment (both alphabets), URL-encoded (both cases of its hex digits)
 * and as a JSON string; long lines of it by themselves too.
 */
export function secretForms(value: string): Buffer[] {
  const whole = value.trim();
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  const parts = [whole, ...(lines.length > 1 ? lines.filter((line) => line.length >= SHORTEST_LINE) : [])];
  const forms = new Map<string, Buffer>();
  for (const part of parts) {
    if (Buffer.byteLength(part) < SHORTEST_SECRET) continue;
    for (const form of [part, ...encodings(part)]) forms.set(form, Buffer.from(form));
  }
  return [...forms.values()];
}

function encodings(text: string): string[] {
  const bytes = Buffer.from(text);
  const url = encodeURIComponent(bytes.toString());
  const lowerUrl = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
    url,
    lowerUrl,
    url.replaceAll("%20", "+"),
    JSON.stringify(text).slice(1, -1),
  ];
}

/** The characters of base64 that depend on the value alone when `offset` bytes come before it. */
function base64At(bytes: Buffer, offset: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const first = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  const part = whole.slice(first, end);
  return [part, part.replaceAll("+", "-").replaceAll("/", "_")];
}
