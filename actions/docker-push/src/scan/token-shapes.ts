/** A text that is a secret by its shape alone. */
export interface TokenShape {
  /** With an article, as a message names it. */
  readonly what: string;
  /** Every such token starts with this (at least 4 characters). */
  readonly literal: string;
  /** Matched where the literal starts; what is in front is checked apart. */
  readonly shape: RegExp;
}

/** How far a shape may reach, bytes. */
export const LONGEST_TOKEN = 512;

const AWS_KEY = /^A(?:KIA|SIA)[A-Z2-7]{16}(?![A-Za-z0-9])/;
/** The start of the key's text must follow: programs that read keys hold the marker line alone. */
const PRIVATE_KEY =
  /^-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\r|\\n|[\r\n \t"'+\\])+(?:(?:Proc-Type|DEK-Info|Version|Comment)[^\n]{0,100}\n\s*){0,4}[A-Za-z0-9+/]{40}/;

/** The shapes that their issuers document; each is long enough not to be met by chance. */
export const TOKEN_SHAPES: readonly TokenShape[] = [
  { what: "an AWS access key", literal: "AKIA", shape: AWS_KEY },
  { what: "an AWS access key", literal: "ASIA", shape: AWS_KEY },
  {
    what: "an AWS secret key",
    literal: "aws_secret_access_key",
    shape:
      /^aws_secret_access_key["']?\s{0,4}[=:]\s{0,4}["']?(?!.{0,40}EXAMPLE)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/,
  },
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map((literal) => ({
    what: "a GitHub token",
    literal,
    shape: /^gh[pousr]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9_])/,
  })),
  { what: "a GitHub token", literal: "github_pat_", shape: /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}/ },
  { what: "a GitLab token", literal: "glpat-", shape: /^glpat-[\w-]{20,}/ },
  { what: "an npm token", literal: "npm_", shape: /^npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])/ },
  { what: "a PyPI token", literal: "pypi-AgEIcHlwaS5vcmc", shape: /^pypi-AgEIcHlwaS5vcmc[\w-]{50,}/ },
  { what: "a Docker Hub token", literal: "dckr_pat_", shape: /^dckr_pat_[\w-]{27}/ },
  ...["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-"].map((literal) => ({
    what: "a Slack token",
    literal,
    shape: /^xox[abeprs]-\d{8,}-[\w-]{12,}/,
  })),
  { what: "a Stripe key", literal: "sk_live_", shape: /^sk_live_[A-Za-z0-9]{16,}/ },
  { what: "a Stripe key", literal: "rk_live_", shape: /^rk_live_[A-Za-z0-9]{16,}/ },
  { what: "a HashiCorp Vault token", literal: "hvs.", shape: /^hvs\.[\w-]{24,}/ },
  { what: "an age key", literal: "AGE-SECRET-KEY-1", shape: /^AGE-SECRET-KEY-1[0-9A-Z]{58}/ },
  {
    what: "a Google service account key",
    literal: '"private_key_id"',
    shape: /^"private_key_id"\s{0,4}:\s{0,4}"[0-9a-f]{40}"/,
  },
  {
    what: "an Azure storage key",
    literal: "AccountKey=",
    shape: /^AccountKey=(?!Eby8vdM02xNOcqFl)[A-Za-z0-9+/]{86}==/,
  },
  { what: "a private key", literal: "-----BEGIN ", shape: PRIVATE_KEY },
];

/** Whether a match is one of the keys that documentation uses as an example. */
export function isExample(token: string): boolean {
  return /EXAMPLE/.test(token) || /^[a-z]+_(.)\1{20}/i.test(token);
}
