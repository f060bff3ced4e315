import "../../../lib/esm-shim.ts";
import { runPost } from "../../../lib/post.ts";
import { afterwards } from "./afterwards.ts";

void runPost("docker-push", afterwards);
