import { describe, expect, test } from "@jest/globals";
import { explained } from "../../../lib/aws/errors.ts";
import { openWire, refusal } from "./aws-wire.ts";

const wire = openWire();

describe("faults", () => {
  const say = (type: string, message: string, status = 400) => ({
    status,
    body: JSON.stringify({ __type: type, message }),
  });

  test("a denial is HTTP 400 at ECS, and names what is missing", async () => {
    const text =
      "User: arn:aws:sts::1:assumed-role/ci/run is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:1:service/c/s because no identity-based policy allows the ecs:UpdateService action";
    wire.server.replies = [say("AccessDeniedException", text)];
    const error = await refusal(wire.connect().call("ecs", "UpdateService", {}));
    expect(error).toMatchObject({ fault: "denied", code: "ACCESS_DENIED", name: "AccessDeniedException" });
    expect(error.fix).toBe(
      "allow ecs:UpdateService on arn:aws:ecs:eu-west-1:1:service/c/s for arn:aws:sts::1:assumed-role/ci/run",
    );
  });

  test.each([
    ["ThrottlingException", 400, "transient"],
    ["ServerException", 500, "transient"],
    ["ExpiredTokenException", 400, "expired"],
    ["UnrecognizedClientException", 400, "expired"],
    ["ServiceNotFoundException", 400, "not-found"],
    ["ClientException", 400, "permanent"],
    ["com.amazonaws.ecs#InvalidParameterException", 400, "permanent"],
  ])("%s with %d is %s, and asked once", async (type, status, fault) => {
    wire.server.replies = [say(type, "Rate exceeded", status)];
    const error = await refusal(wire.connect().call("ecs", "DescribeServices", {}));
    expect(error.fault).toBe(fault);
    expect(error.message).toContain("Rate exceeded");
    expect(wire.server.heard).toHaveLength(1);
  });

  test("a gateway's page instead of JSON", async () => {
    wire.server.replies = [
      { status: 503, body: "<html>busy</html>", headers: { "content-type": "text/html" } },
    ];
    const error = await refusal(wire.connect().call("ecs", "DescribeServices", {}));
    expect([error.fault, error.status]).toEqual(["transient", 503]);
    expect(error.message).toBe("ecs:DescribeServices failed for now: HTTP 503");
  });

  test("a page instead of an answer is no answer", async () => {
    wire.server.replies = [{ status: 200, body: "<html>log in</html>" }];
    const error = await refusal(wire.connect().call("ecs", "DescribeServices", {}));
    expect(error.fault).toBe("transient");
  });

  test("a reset, a cut answer, and silence pass", async () => {
    wire.server.replies = [(response) => response.socket?.resetAndDestroy()];
    expect((await refusal(wire.connect().call("ecs", "DescribeServices", {}))).fault).toBe("transient");
    wire.server.replies = [
      (response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{");
        setTimeout(() => response.destroy(), 20);
      },
    ];
    expect((await refusal(wire.connect().call("ecs", "DescribeServices", {}))).fault).toBe("transient");
    wire.server.replies = [() => {}];
    const error = await refusal(wire.connect({ timeoutMs: 100 }).call("ecs", "DescribeServices", {}));
    expect([error.fault, error.name]).toEqual(["transient", "TimeoutError"]);
    expect(error.message).toContain("no answer within 0.1 s");
  });

  test("nobody listens", async () => {
    process.env["AWS_ENDPOINT_URL_ECS"] = "http://127.0.0.1:1";
    expect((await refusal(wire.connect().call("ecs", "DescribeServices", {}))).fault).toBe("transient");
  });

  test("an aborted call rejects with the signal's own reason, also while it is out", async () => {
    const { call } = wire.connect();
    const reason = new Error("cancelled");
    await expect(call("ecs", "DescribeServices", {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    const abort = new AbortController();
    wire.server.replies = [() => abort.abort(reason)];
    await expect(explained(call)("ecs", "DescribeServices", {}, { signal: abort.signal })).rejects.toBe(
      reason,
    );
  });

  test("a wrong clock is learned from the refusal and costs one more request", async () => {
    const date = new Date(Date.now() + 20 * 60_000).toUTCString();
    wire.server.replies = [
      {
        ...say("InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
        headers: { date },
      },
      { status: 200, body: '{"services":[]}' },
    ];
    await expect(wire.connect().call("ecs", "DescribeServices", {})).resolves.toEqual({ services: [] });
    expect(wire.server.heard).toHaveLength(2);
    expect(wire.server.heard[0]?.headers["x-amz-date"]).not.toBe(wire.server.heard[1]?.headers["x-amz-date"]);
  });
});
