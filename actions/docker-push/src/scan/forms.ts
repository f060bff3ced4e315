/** A value shorter than this is in every image by chance, and is not searched for; bytes. */
export const SHORTEST_SECRET = 6;

/** Of a base64 text that programs break into lines, every piece of this length is searched for. */
const PIECE = 32;

/**
 * The forms in which a secret value ends up in an image: as it is, as base64
 * at any alignment (both alphabets), URL-encoded (both cases of its hex digits)
 * and as a JSON string; lines of it by themselves too where they hold something random.
 */
export function secretForms(value: string): Buffer[] {
  const whole = value.trim();
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  const parts = [whole, ...(lines.length > 1 ? lines.filter(isTelling) : [])];
  const forms = new Map<string, Buffer>();
  for (const part of parts) {
    if (Buffer.byteLength(part) < SHORTEST_SECRET) continue;
    for (const form of [part, ...encodings(part)]) forms.set(form, Buffer.from(form));
  }
  return [...forms.values()];
}

/**
 * Whether a part alone gives a secret away: it holds something random.
 * `-----BEGIN CERTIFICATE-----` or `registry=https://registry.npmjs.org/`
 * stand in secrets and in every image.
 */
function isTelling(part: string): boolean {
  const words = part.match(/[A-Za-z0-9_-]{16,}/g) ?? [];
  return words.some((word) => {
    const runs = word.match(/[A-Za-z0-9]{16,}/g) ?? [];
    const isMixed = (run: string) => /\d/.test(run) && /[A-Za-z]/.test(run);
    return runs.some(isMixed) || (isMixed(word) && word.replace(/\D/g, "").length >= 4);
  });
}

function encodings(text: string): string[] {
  const bytes = Buffer.from(text);
  const url = encodeURIComponent(bytes.toString());
  const lowerUrl = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)).flatMap(withPieces),
    url,
    lowerUrl,
    url.replaceAll("%20", "+"),
    JSON.stringify(text).slice(1, -1),
  ];
}

/** `base64` breaks its lines after 76 characters, PEM after 64: a piece of a long text stands in one of them. */
function withPieces(text: string): string[] {
  if (text.length < 2 * PIECE) return [text];
  const pieces = Array.from({ length: Math.floor(text.length / PIECE) }, (_, index) =>
    text.slice(index * PIECE, (index + 1) * PIECE),
  );
  return [text, ...pieces.filter(isTellingInBase64)];
}

/** At one of the four positions the piece starts with a whole byte. */
function isTellingInBase64(piece: string): boolean {
  return [0, 1, 2, 3].some((skip) => isTelling(Buffer.from(piece.slice(skip), "base64").toString("latin1")));
}

/** The characters of base64 that depend on the value alone when `offset` bytes come before it. */
function base64At(bytes: Buffer, offset: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const first = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  const part = whole.slice(first, end);
  return [part, part.replaceAll("+", "-").replaceAll("/", "_")];
}
