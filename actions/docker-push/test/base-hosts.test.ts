import { describe, expect, test } from "@jest/globals";
import { baseHosts } from "../src/login/base-hosts.ts";

describe("registries that a build pulls from", () => {
  const hosts = (text: string, args: Record<string, string> = {}, contexts: Record<string, string> = {}) =>
    baseHosts(text, new Map(Object.entries(args)), new Map(Object.entries(contexts))).hosts;
  test.each([
    ["FROM scratch", []],
    ["FROM alpine:3.20", ["docker.io"]],
    [
      "FROM ghcr.io/acme/base@sha256:abc AS build\nFROM build\nCOPY --from=build /a /a\nCOPY --from=0 /b /b",
      ["ghcr.io"],
    ],
    [
      "FROM localhost:5000/base:1\nCOPY --chmod=644 --from=quay.io/x/y:2 /a /a",
      ["localhost:5000", "quay.io"],
    ],
    ["ARG BASE=ghcr.io/a/b\nFROM --platform=$BUILDPLATFORM ${BASE}:1", ["ghcr.io"]],
    ["ARG REGISTRY\nFROM $REGISTRY/a/b", []],
    ["ARG BASE='quay.io/a/b'\nFROM \\\n  $BASE", ["quay.io"]],
    ["FROM ${BASE:-ghcr.io/a/b}", ["ghcr.io"]],
    ["RUN echo FROM ghcr.io/a/b", []],
    ["FROM scratch\nRUN --mount=type=bind,from=ghcr.io/a/b,target=/b true", ["ghcr.io"]],
    ["# a comment\n# syntax=docker/dockerfile:1\nFROM scratch", ["docker.io"]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(hosts(text)).toEqual(expected);
  });

  test.each([
    ["ARG REGISTRY\nFROM $REGISTRY/a/b", true],
    ["FROM ghcr.io/a/b", false],
    ["FROM scratch", false],
  ])("%j: may pull from elsewhere: %s", (text, elsewhere) => {
    expect(baseHosts(text, new Map(), new Map()).elsewhere).toBe(elsewhere);
  });

  test("build arguments and contexts count", () => {
    expect(hosts("ARG R=ghcr.io\nFROM $R/a/b", { R: "quay.io" })).toEqual(["quay.io"]);
    const contexts = { base: "docker-image://ghcr.io/a/b:1", src: "./lib" };
    expect(hosts("FROM base\nCOPY --from=src . .", {}, contexts)).toEqual(["ghcr.io"]);
  });
});
