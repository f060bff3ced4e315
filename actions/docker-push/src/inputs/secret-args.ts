/** Last words of names that hold secrets; `_FILE`, `_URL`, `_NAME` behind them make plain settings of them. */
const SECRET_WORDS =
  /(^|_)(PASSWORD|PASSWD|PASSPHRASE|PASSWD|PWD|SECRET|SECRETS|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY|SECRET_KEY_BASE|CREDENTIALS?)\d*$/;

/** Shorter values are part of too many texts to mean anything. */
const SHORTEST_PART = 8;

/**
 * Build arguments that would leave a secret in the image's history, where every
 * builder writes them for all to read. One line each, without the value.
 */
export function secretArgs(args: ReadonlyMap<string, string>, secrets: readonly string[]): string[] {
  return [...args].flatMap(([name, value]) => {
    if (value.trim() === "") return [];
    const fix =
      "build arguments stay readable in the image; pass it in `secrets` and mount it in the Dockerfile";
    if (looksSecret(name)) return [`\`build-args\`: the name \`${name}\` is one of a secret: ${fix}`];
    const holds = secrets.some(
      (secret) =>
        secret !== "" && (value === secret || (secret.length >= SHORTEST_PART && value.includes(secret))),
    );
    return holds ? [`\`build-args\`: the value of \`${name}\` is a secret of this step: ${fix}`] : [];
  });
}

function looksSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase();
  return SECRET_WORDS.test(words) && !/(^|_)PUBLIC(_|$)/.test(words);
}
