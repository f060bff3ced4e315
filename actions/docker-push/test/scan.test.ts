import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { prepare } from "../src/phases/prepare.ts";
import { secretForms } from "../src/scan/forms.ts";
import { LiteralSearch } from "../src/scan/literal-search.ts";
import { secretFile } from "../src/scan/secret-files.ts";
import { SecretSearch } from "../src/scan/secret-search.ts";
import { dockerArchive, fileOf, type Member, makeFolder, tarOf } from "./image-kit.ts";

const SECRET = "correct horse/battery+staple?";
// Put together here, so that no scanner takes this file for a leak.
const token = (start: string, length: number) =>
  start + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z".repeat(9).slice(0, length);
const AWS = `AKIA${"QWERTYUIOPASDFG7"}`;
const PEM = `-----BEGIN RSA PRIVATE ${"KEY"}-----\n${"MIIEowIBAAKCAQEA".repeat(4)}\n`;

async function scan(layers: readonly (readonly Member[])[], more = {}, values = [SECRET]) {
  const bytes = await dockerArchive(await Promise.all(layers.map(tarOf)), more);
  const signal = new AbortController().signal;
  const how = { commitTime: undefined, labels: new Map<string, string>(), folder: makeFolder(), signal };
  const images = await prepare({ path: fileOf(bytes), platform: "" }, { ...how, secretValues: values });
  return images.flatMap((image) => image.secrets.map(({ what, where }) => `${what}: ${where}`));
}

describe("the search for literals", () => {
  test("finds what a naive search finds, at any place", () => {
    const alphabet = fc.constantFrom(..."ab");
    const word = fc.string({ unit: alphabet, minLength: 4, maxLength: 7 });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 6 }),
        fc.string({ unit: alphabet, maxLength: 200 }),
        (words, text) => {
          const found: string[] = [];
          const search = new LiteralSearch(words.map((one) => Buffer.from(one)));
          search.search(Buffer.from(text), 0, text.length, (number, at) => found.push(`${number}@${at}`));
          const naive = [...text].flatMap((_, at) =>
            words.flatMap((one, number) => (text.startsWith(one, at) ? [`${number}@${at}`] : [])),
          );
          expect(found.sort()).toEqual(naive.sort());
        },
      ),
    );
  });

  test("chunks of any size change nothing", () => {
    const text = Buffer.from(`${"x".repeat(700)} ${SECRET} ${"-".repeat(600)}${token("ghp_", 36)} ${SECRET}`);
    const search = new SecretSearch([SECRET]);
    const expected = search.stream();
    expected.push(text);
    const whole = expected.end();
    expect(whole.map((hit) => hit.given)).toEqual([true, false, true]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 30 }), (sizes) => {
        const stream = search.stream();
        let at = 0;
        for (const size of sizes) {
          stream.push(text.subarray(at, at + size));
          at += size;
        }
        stream.push(text.subarray(at));
        expect(stream.end()).toEqual(whole);
      }),
    );
  });

  test("what stands in front of a token is known, wherever a chunk ends", () => {
    const stream = new SecretSearch([]).stream();
    const text = Buffer.from(`${"-".repeat(2000)}x${token("ghp_", 36)} ${"-".repeat(2000)}`);
    for (let at = 0; at < text.length; at++) stream.push(text.subarray(at, at + 1));
    expect(stream.end()).toEqual([]);
  });
});

describe("forms of a given value", () => {
  test("base64 at every alignment, in both alphabets", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 40, unit: "binary" }),
        fc.string({ maxLength: 5 }),
        fc.string({ maxLength: 5 }),
        (value, before, after) => {
          fc.pre(value === value.trim() && !/[\r\n]/.test(value) && Buffer.byteLength(value) >= 6);
          const bytes = Buffer.from(`${before}${value}${after}`);
          const forms = secretForms(value);
          for (const encoding of ["base64", "base64url"] as const) {
            const text = bytes.toString(encoding);
            expect(forms.some((form) => text.includes(form.toString()))).toBe(true);
          }
        },
      ),
    );
  });

  test.each([
    ["raw", SECRET],
    ["URL", encodeURIComponent(SECRET)],
    ["URL, lower case", encodeURIComponent(SECRET).toLowerCase()],
    ["a form", encodeURIComponent(SECRET).replaceAll("%20", "+")],
    ["base64", Buffer.from(SECRET).toString("base64")],
    ["basic auth", Buffer.from(`user:${SECRET}`).toString("base64")],
    ["JSON", JSON.stringify({ a: SECRET })],
  ])("%s in a file", async (_, text) => {
    expect(await scan([[{ name: "app/config", content: `a=${text}\n` }]])).toEqual([
      "the value of a given secret: /app/config in layer 1",
    ]);
  });

  test("lines that stand in every image are no secret, though a secret holds them", async () => {
    const pem = [
      "-----BEGIN CERTIFICATE-----",
      "MIIBszCCAVmgAwIBAgIUe0k7Vd2WqYb",
      "-----END CERTIFICATE-----",
    ];
    const npmrc = [
      "registry=https://registry.npmjs.org/",
      "always-auth=true-for-this-one",
      `x=${token("", 30)}`,
    ];
    const content =
      "-----BEGIN CERTIFICATE-----\nregistry=https://registry.npmjs.org/\n-----END CERTIFICATE-----\n";
    const values = [pem.join("\n"), npmrc.join("\n")];
    const inBase64 = Buffer.from(`${content}${content}`).toString("base64");
    expect(await scan([[{ name: "a", content }], [{ name: "b", content: inBase64 }]], {}, values)).toEqual(
      [],
    );
    const found = await scan([[{ name: "a", content: `> ${pem[1]}` }]], {}, values);
    expect(found).toHaveLength(1);
  });

  test("a long value in base64 that is broken into lines is found", async () => {
    const value = token("tok_", 90);
    for (const width of [64, 76]) {
      for (const front of ["", "a", "ab: ", "x".repeat(50)]) {
        const text = Buffer.from(`${front}${value}`).toString("base64");
        const content = text.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
        expect(await scan([[{ name: "a", content }]], {}, [value])).toHaveLength(1);
      }
    }
  });

  test("a multi-line value is found by one of its lines; very short values are not searched for", async () => {
    const lines = "first-line-of-the-key-0123456789\nsecond-line-of-the-key-9876543210";
    expect(
      await scan([[{ name: "a", content: "x second-line-of-the-key-9876543210 y" }]], {}, [lines]),
    ).toHaveLength(1);
    expect(await scan([[{ name: "a", content: "true" }]], {}, ["true", ""])).toEqual([]);
  });
});

describe("an image", () => {
  test("a value in environment, label, history and command is named by its place, never shown", async () => {
    const found = await scan([[{ name: "a", content: "clean" }]], {
      config: { Env: ["A=1", `API_KEY=${SECRET}`], Labels: { note: SECRET }, Cmd: ["run", SECRET] },
      history: [{ created_by: `RUN |1 key=${SECRET} make` }],
    });
    expect(found).toEqual([
      "the value of a given secret: environment variable API_KEY",
      "the value of a given secret: label note",
      "the value of a given secret: history step 1",
      "the value of a given secret: the image's Cmd",
    ]);
  });

  test("a file that a later layer deletes is still found, with its layer; the command that holds it is not shown", async () => {
    const layers = [
      [{ name: "x", content: "1" }],
      [{ name: "srv/key", content: PEM }],
      [{ name: "srv/.wh.key", content: "" }],
    ];
    const history = [
      { created_by: "COPY x /" },
      { created_by: `RUN write ${token("ghp_", 36)}` },
      { created_by: "RUN rm /srv/key" },
    ];
    const found = await scan(layers, { history });
    expect(found).toEqual([
      "a GitHub token: history step 2",
      "a private key: /srv/key in layer 2 (a step that holds a secret)",
    ]);
  });

  test.each<readonly [string, string, string]>([
    ["an AWS access key", `id = ${AWS}`, "src/a.js"],
    ["a GitHub token", token("github_pat_", 22) + token("_", 60).slice(0, 60), "a"],
    ["a GitLab token", token("glpat-", 20), "a"],
    ["an npm token", `//r/:x=${token("npm_", 36)}`, "a"],
    ["a Slack token", `${"xoxb"}-1234567890-${token("", 24)}`, "a"],
    ["a Stripe key", token(`${"sk_"}live_`, 24), "a"],
    ["an AWS secret key", `aws_secret_access_key = ${token("", 40)}`, "a"],
    ["a private key", PEM, "etc/key.pem"],
    ["a private key", PEM, "app/lib/addon.so"],
    ["a private key", PEM, "usr/local/bin/app"],
    ["a private key", PEM, "etc/ssl/private/server.key"],
    ["a private key", JSON.stringify({ k: PEM }), "etc/account.json"],
    ["an npm login", "//registry/:_authToken=abc", "srv/.npmrc"],
    ["a file of environment settings", "# x\nDB_PASSWORD=abc\n", "app/.env"],
    ["a Git repository", "ref: refs/heads/main", "app/.git/HEAD"],
    ["a Docker login", '{"auths":{"r":{"auth":"dTpw"}}}', "srv/.docker/config.json"],
  ])("%s is found", async (what, content, name) => {
    const found = await scan([[{ name, content }]]);
    expect(found).toContain(`${what}: /${name} in layer 1`);
    expect(found.join()).not.toContain(content);
  });

  test.each([
    [
      "a program that knows the marker lines",
      `-----BEGIN RSA PRIVATE ${"KEY"}-----\0-----END`,
      "bin/openssl",
    ],
    ["an example of a manual", `${"AKIA"}IOSFODNN7EXAMPLE`, "doc"],
    ["a name that goes on", `x${token("ghp_", 36)}`, "a"],
    ["a token that is too short", token("ghp_", 20), "a"],
    ["npm settings without a login", "registry=https://r\n//r/:_authToken=${NPM_TOKEN}\n", "srv/.npmrc"],
    ["an empty environment file", "# nothing\nEMPTY=\n", "app/.env"],
    ["an environment sample", "PASSWORD=x", "app/.env.example"],
    ["a test key of a package", PEM, "app/node_modules/p/test/key.pem"],
    ["a test of a package", PEM, "app/node_modules/p/key.test.js"],
    ["a library that tests itself", PEM, "usr/lib/x86_64-linux-gnu/libgnutls.so.30.34.3"],
    ["a library to link with", PEM, "lib/libgnutls.a"],
    ["a key that Debian makes for tries", PEM, "etc/ssl/private/ssl-cert-snakeoil.key"],
    ["a public key", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n", "a"],
  ])("%s is no finding", async (_, content, name) => {
    expect(await scan([[{ name, content }]])).toEqual([]);
  });

  test("a given value is found in a package's samples too, and in names of files", async () => {
    const found = await scan(
      [
        [
          { name: "node_modules/p/test/x", content: SECRET },
          { name: "dir-hunter22hunter", content: "" },
        ],
      ],
      {},
      [SECRET, "hunter22hunter"],
    );
    expect(found).toHaveLength(2);
  });

  test("without a scan nothing is looked at", async () => {
    const bytes = await dockerArchive([
      await tarOf([{ name: "srv/.npmrc", content: "//r/:_authToken=abc" }]),
    ]);
    const how = {
      commitTime: undefined,
      labels: new Map<string, string>(),
      folder: makeFolder(),
      signal: new AbortController().signal,
    };
    const [image] = await prepare({ path: fileOf(bytes), platform: "" }, { ...how, secretValues: undefined });
    expect(image?.secrets).toEqual([]);
  });
});

test("100 MB take at most 2 s", () => {
  const noise = randomBytes(1024 * 1024);
  const started = performance.now();
  const stream = new SecretSearch([SECRET, "another-secret-value", "third-secret-value"]).stream();
  for (let done = 0; done < 100; done++) stream.push(noise);
  stream.end();
  expect(performance.now() - started).toBeLessThan(2000);
});

test("no file shape matches an unrelated name", () => {
  expect(secretFile("app/environment", Buffer.from("A=1"))).toBeUndefined();
  expect(secretFile("app/x.env", Buffer.from("A=1"))).toBeUndefined();
});
