/** What the person before the terminal sees while the demo goes on. */
export class Progress {
  private readonly startedAt = performance.now();

  /** One line with the time since the start. */
  say(text: string): void {
    console.log(`${this.elapsed().padStart(6)}  ${text}`);
  }

  /** The time since the start as `m:ss`. */
  elapsed(): string {
    const seconds = Math.floor((performance.now() - this.startedAt) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}
