import { createServer, type Server } from "node:http";

/** An incoming webhook that answers with the given codes, then with 404; paths that end in /404 always get that. */
export class SlackServer {
  readonly texts: string[] = [];
  private readonly server: Server;

  constructor(codes: readonly number[]) {
    const left = [...codes];
    this.server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString("utf8");
      });
      request.on("end", () => {
        if (request.url?.endsWith("/404")) return response.writeHead(404).end("no_service");
        this.texts.push((JSON.parse(body) as { text: string }).text);
        return response.writeHead(left.shift() ?? 404).end();
      });
    });
  }

  /** The webhook's URL, a secret of its own. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/services/T0/B0/s3cr3t`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
