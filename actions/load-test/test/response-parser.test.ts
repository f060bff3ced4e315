import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ResponseParser } from "../src/http/response-parser.ts";

const STALE = Buffer.from("\r\n\r\n5\r\nstale\r\n0\r\n\r\n");

/** Feeds the bytes in pieces that end at `cuts`; returns what the parser made of them. */
function parse(bytes: string, cuts: readonly number[] = [], bodiless = false) {
  const parser = new ResponseParser();
  parser.reset(bodiless, true);
  const buffer = Buffer.from(bytes, "latin1");
  const edges = [0, ...[...cuts].sort((a, b) => a - b), buffer.length];
  let progress = "more";
  for (let i = 0; i + 1 < edges.length && progress !== "malformed"; i++) {
    const piece = buffer.subarray(edges[i], edges[i + 1]);
    // As the socket's buffer is: longer than the piece, with old bytes behind it, and overwritten afterwards.
    const buffered = Buffer.concat([piece, STALE]);
    if (piece.length > 0) progress = parser.push(buffered, piece.length);
    buffered.fill("x");
  }
  const { status, keepAlive, location, bytes: size } = parser;
  return {
    progress,
    ended: progress === "more" && parser.end(),
    status,
    keepAlive,
    location,
    size,
    text: parser.text(),
  };
}

const ANSWERS: readonly (readonly [name: string, bytes: string, expected: object])[] = [
  [
    "a length",
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
    { progress: "done", status: 200, keepAlive: true, size: 5, text: "hello" },
  ],
  [
    "length 0",
    "HTTP/1.1 201 Created\r\ncontent-length:0\r\nlocation: /a/b\r\n\r\n",
    { progress: "done", status: 201, keepAlive: true, location: "/a/b", size: 0 },
  ],
  [
    "chunks, with an extension and a trailer",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\nA\r\n, world...\r\n0\r\nX-Sum: 1\r\n\r\n",
    { progress: "done", status: 200, keepAlive: true, size: 15, text: "hello, world..." },
  ],
  [
    "chunks win over a length",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    { progress: "done", text: "a" },
  ],
  [
    "Connection: close",
    "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\na",
    { progress: "done", keepAlive: false },
  ],
  [
    "no length: until the end",
    "HTTP/1.1 200 OK\r\n\r\nall of it",
    { ended: true, keepAlive: false, text: "all of it" },
  ],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", { progress: "done", keepAlive: false }],
  [
    "HTTP/1.0 with keep-alive",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
    { progress: "done", keepAlive: true },
  ],
  ["204", "HTTP/1.1 204 No Content\r\n\r\n", { progress: "done", status: 204, keepAlive: true }],
  [
    "304 with a length",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    { progress: "done", status: 304 },
  ],
  [
    "100 and 103 before the answer",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    { progress: "done", status: 200, text: "ok" },
  ],
  [
    "bytes behind the answer",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1",
    { progress: "done", keepAlive: false, text: "ok" },
  ],
  [
    "UTF-8",
    `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n${Buffer.from("日本").toString("latin1")}`,
    { text: "日本" },
  ],
  [
    "an unfinished body",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    { progress: "more", ended: false },
  ],
  [
    "an unfinished chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    { progress: "more", ended: false },
  ],
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", { progress: "malformed" }],
  ["no status", "HTTP/1.1 abc OK\r\n\r\n", { progress: "malformed" }],
  ["a bad length", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", { progress: "malformed" }],
  [
    "two lengths",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    { progress: "malformed" },
  ],
  [
    "a bad chunk size",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    { progress: "malformed" },
  ],
];

describe("ResponseParser", () => {
  test.each(ANSWERS)("%s", (_name, bytes, expected) => {
    expect(parse(bytes)).toMatchObject(expected);
  });

  test.each(ANSWERS)("%s: the same, cut anywhere", (_name, bytes) => {
    const whole = parse(bytes);
    for (let cut = 1; cut < bytes.length; cut++) expect(parse(bytes, [cut])).toEqual(whole);
    expect(parse(bytes, [...Array(bytes.length).keys()])).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (cuts) => {
        expect(parse(bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test("an answer to HEAD has no body, whatever its length says", () => {
    expect(parse("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", [], true)).toMatchObject({
      progress: "done",
      keepAlive: true,
    });
  });

  test("a head without an end is refused in time", () => {
    expect(parse(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}`).progress).toBe("malformed");
  });

  test("it reads one answer after the other", () => {
    const parser = new ResponseParser();
    for (const text of ["first", "second!"]) {
      parser.reset(false, true);
      parser.push(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`));
      expect(parser.text()).toBe(text);
    }
  });
});
