import { describe, expect, test } from "@jest/globals";
import { TimeoutError } from "../../errors.ts";
import { AwsError, classifyAws, explained, faultClassOf } from "../errors.ts";

const aws = (name: string, message: string, httpStatusCode?: number) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
const system = (code: string) => Object.assign(new Error(`read ${code}`), { code });

describe("classifyAws", () => {
  test.each([
    [aws("ThrottlingException", "Rate exceeded", 400), "transient"],
    [aws("Throttling", "Rate exceeded", 400), "transient"],
    [aws("RequestLimitExceeded", "Request limit exceeded.", 503), "transient"],
    [aws("TooManyRequestsException", "slow", 429), "transient"],
    [aws("ServerException", "internal", 500), "transient"],
    [aws("InternalServerException", "internal", 500), "transient"],
    [aws("InternalFailure", "internal", 500), "transient"],
    [aws("ServiceUnavailableException", "busy", 503), "transient"],
    [aws("SyntaxError", "Unexpected token <", 502), "transient"],
    [aws("SomethingNew", "x", 504), "transient"],
    [aws("TimeoutError", "Connection timed out after 5000 ms"), "transient"],
    [system("ECONNRESET"), "transient"],
    [system("ETIMEDOUT"), "transient"],
    [system("EAI_AGAIN"), "transient"],
    [new Error("socket hang up"), "transient"],
    [new Error("wrapped", { cause: system("ECONNREFUSED") }), "transient"],
    [system("ENOTFOUND"), "permanent"],
    [aws("AccessDeniedException", "no", 400), "denied"],
    [aws("AccessDenied", "no", 403), "denied"],
    [aws("UnauthorizedOperation", "no", 403), "denied"],
    [aws("ExpiredTokenException", "The security token included in the request is expired", 400), "expired"],
    [aws("ExpiredToken", "expired", 403), "expired"],
    [
      aws("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
      "expired",
    ],
    [aws("InvalidClientTokenId", "invalid", 403), "expired"],
    [aws("InvalidSignatureException", "The request signature we calculated does not match", 403), "expired"],
    [aws("CredentialsProviderError", "Could not load credentials from any providers"), "expired"],
    [aws("ServiceNotFoundException", "Service not found.", 400), "not-found"],
    [aws("ClusterNotFoundException", "Cluster not found.", 400), "not-found"],
    [aws("ResourceNotFoundException", "The specified log stream does not exist.", 400), "not-found"],
    [aws("DeploymentDoesNotExistException", "no deployment", 400), "not-found"],
    [aws("LimitExceededException", "Rate limit exceeded", 400), "transient"],
    [aws("LimitExceededException", "At most 10 targets in one call.", 400), "permanent"],
    [aws("DeploymentLimitExceededException", "already has an active deployment", 400), "permanent"],
    [aws("InvalidParameterException", "bad", 400), "permanent"],
    [aws("ClientException", "Unable to describe task definition.", 400), "permanent"],
    [new TypeError("bug"), "permanent"],
    ["text", "permanent"],
  ])("%s is %s", (error, fault) => {
    expect(classifyAws(error, "ecs:X").fault).toBe(fault);
  });

  test("a refusal keeps AWS's words and its code", () => {
    const verdict = classifyAws(
      aws("ClientException", "Too many concurrent attempts.", 400),
      "ecs:RegisterTaskDefinition",
    );
    expect(verdict).toMatchObject({
      code: "REQUEST_REFUSED",
      message: "AWS refused ecs:RegisterTaskDefinition: Too many concurrent attempts (ClientException)",
    });
  });

  test("a throttle says that it is for now", () => {
    expect(classifyAws(aws("ThrottlingException", "Rate exceeded", 400), "ecs:X").message).toBe(
      "ecs:X failed for now: Rate exceeded (ThrottlingException)",
    );
  });
});

describe("a refusal that quotes the request keeps no value of it", () => {
  test.each([
    [`[{"name":"X","value":"ab c"}]`, `[{"name":"X","value":***}]`],
    ["[{name: X, value: abc}, {name: Y, value: d}]", "[{name: X, value: ***}, {name: Y, value: ***}]"],
    ["KeyValuePair(name=X, value=abc)", "KeyValuePair(name=X, value=***)"],
    [
      "Value 'a b' at 'containerDefinitions.1.member.environment.1.member.value' failed",
      "Value '***' at 'containerDefinitions.1.member.environment.1.member.value' failed",
    ],
    ["Value '0' at 'maxResults' failed", "Value '0' at 'maxResults' failed"],
    ["name: app, cpu value: 3 is wrong", "name: app, cpu value: 3 is wrong"],
  ])("%s", (said, told) => {
    expect(classifyAws(aws("ClientException", said, 400), "ecs:X").message).toBe(
      `AWS refused ecs:X: ${told} (ClientException)`,
    );
  });

  test("nor half of one", () => {
    const { message } = classifyAws(aws("ClientException", `${"x ".repeat(298)}hunter2222`, 400), "ecs:X");
    expect(message).not.toContain("hunt");
  });
});

describe("denials", () => {
  test("of a role that may not be passed", () => {
    const { message, fix, code } = classifyAws(
      aws(
        "AccessDeniedException",
        "User: arn:aws:sts::1:assumed-role/ci/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/task because no identity-based policy allows the iam:PassRole action",
        400,
      ),
      "ecs:RegisterTaskDefinition",
    );
    expect(code).toBe("ACCESS_DENIED");
    expect(message).toBe(
      "AWS denied ecs:RegisterTaskDefinition: arn:aws:sts::1:assumed-role/ci/x may not iam:PassRole on arn:aws:iam::1:role/task",
    );
    expect(fix).toContain("allow iam:PassRole on arn:aws:iam::1:role/task");
    expect(fix).toContain("iam:PassedToService");
  });

  test("under another name", () => {
    const said =
      "User: arn:aws:sts::1:assumed-role/ci/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/task";
    const { code, fault } = classifyAws(aws("ClientException", said, 400), "ecs:RegisterTaskDefinition");
    expect([code, fault]).toEqual(["ACCESS_DENIED", "denied"]);
  });

  test("by an explicit deny are not lifted by an allow", () => {
    const { fix } = classifyAws(
      aws(
        "AccessDeniedException",
        "User: arn:aws:iam::1:user/x is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:x with an explicit deny in a service control policy",
        400,
      ),
    );
    expect(fix).toBe(
      "an explicit deny in a service control policy forbids ecs:UpdateService on arn:aws:ecs:x; an allow does not lift it",
    );
  });

  test("without words name the request", () => {
    const { message, fix } = classifyAws(
      aws("AccessDeniedException", "UnknownError", 400),
      "logs:GetLogEvents",
    );
    expect(message).toBe("AWS denied logs:GetLogEvents: AccessDeniedException");
    expect(fix).toBe("allow logs:GetLogEvents");
  });
});

describe("explained", () => {
  test("leaves what is explained already, and the signal's own reason", async () => {
    const known = new AwsError("ecs:X", aws("AccessDeniedException", "no", 400));
    const call = (error: unknown) => explained(async () => Promise.reject(error));
    await expect(call(known)("ecs", "X", {})).rejects.toBe(known);
    const signal = AbortSignal.abort(new TimeoutError("late", {}));
    await expect(call(new Error("aborted"))("ecs", "X", {}, { signal })).rejects.toBe(signal.reason);
  });

  test("names elbv2 as IAM does", async () => {
    const call = explained(async () => Promise.reject(aws("AccessDenied", "no", 403)));
    await expect(call("elbv2", "DescribeTargetHealth", {})).rejects.toMatchObject({
      request: "elasticloadbalancing:DescribeTargetHealth",
      name: "AccessDenied",
      status: 403,
    });
  });

  test("tells the engine what it means", () => {
    const found = [
      "ThrottlingException",
      "ExpiredTokenException",
      "AccessDeniedException",
      "ClientException",
    ].map((name) => faultClassOf(new AwsError("ecs:X", aws(name, "x", 400))));
    expect(found).toEqual(["transient", "denied", "denied", "permanent"]);
    expect(faultClassOf(new Error("x"))).toBeUndefined();
  });
});
