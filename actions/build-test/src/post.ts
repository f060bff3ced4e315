import { runPost } from "../../../lib/post.ts";
import { cleanUp } from "./clean-up.ts";

void runPost("build-test", cleanUp);
