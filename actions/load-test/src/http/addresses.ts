import { promises as dns, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

/** As often as balancers commonly change their records. */
const REFRESH_MS = 5000;

/**
 * The addresses of the target's name, asked for again and again while the load
 * runs: a balancer that grows gets its new addresses into DNS, and a generator
 * that resolved once would never see them. New connections are spread over all.
 */
export class Addresses {
  private readonly host: string;
  private known: LookupAddress[] = [];
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(host: string) {
    this.host = host;
  }

  /** Resolves once and keeps the answer fresh until `stop`. A failed refresh keeps what is known. */
  async start(): Promise<void> {
    if (isIP(this.host) !== 0) return;
    await this.refresh();
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** For `net.connect`: all known addresses, each time with another one in front. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const { length } = this.known;
    const first = this.known[this.turn++ % Math.max(1, length)];
    if (!first) {
      dns.lookup(hostname, { all: true }).then(
        (all) => answer(all),
        (error: NodeJS.ErrnoException) => callback(error, ""),
      );
      return;
    }
    const start = this.known.indexOf(first);
    answer([...this.known.slice(start), ...this.known.slice(0, start)]);

    function answer(all: LookupAddress[]): void {
      const [one] = all;
      if (options.all) callback(null, all);
      else if (one) callback(null, one.address, one.family);
    }
  };

  private async refresh(): Promise<void> {
    try {
      this.known = await dns.lookup(this.host, { all: true, verbatim: true });
    } catch {
      // The connection attempt asks again and reports what it gets.
    }
  }
}
